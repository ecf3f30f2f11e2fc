//! Whole numbers while they fit, else floating-point ones.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Float(f64),
}

use Number::{Float, Whole};

/// The largest whole number up to which every one has a floating-point number of its own.
const PRECISE: f64 = 9_007_199_254_740_992.0;

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "that is what a floating-point number is")]
    pub(crate) fn float(self) -> f64 {
        match self {
            Whole(number) => number as f64,
            Float(number) => number,
        }
    }

    /// A floating-point result, if it is one.
    pub(crate) fn checked(number: f64) -> Result<Self, String> {
        if number.is_nan() {
            return Err("the result is not defined".to_owned());
        }
        if number.is_infinite() {
            return Err("the result is too large".to_owned());
        }
        Ok(Float(number))
    }

    fn both(
        self,
        other: Self,
        whole: fn(i128, i128) -> Option<i128>,
        float: fn(f64, f64) -> f64,
    ) -> Result<Self, String> {
        match (self, other) {
            (Whole(one), Whole(two)) if let Some(result) = whole(one, two) => Ok(Whole(result)),
            _ => Self::checked(float(self.float(), other.float())),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, String> {
        self.both(other, i128::checked_add, |one, two| one + two)
    }

    pub(crate) fn minus(self, other: Self) -> Result<Self, String> {
        self.both(other, i128::checked_sub, |one, two| one - two)
    }

    pub(crate) fn times(self, other: Self) -> Result<Self, String> {
        self.both(other, i128::checked_mul, |one, two| one * two)
    }

    pub(crate) fn over(self, other: Self) -> Result<Self, String> {
        not_zero(other)?;
        let whole = |one: i128, two: i128| (one.checked_rem(two)? == 0).then(|| one.checked_div(two))?;
        self.both(other, whole, |one, two| one / two)
    }

    /// Rounded down, as `%` has the sign of the divisor.
    pub(crate) fn whole_over(self, other: Self) -> Result<Self, String> {
        not_zero(other)?;
        let whole = |one: i128, two: i128| {
            let (quotient, rest) = (one.checked_div(two)?, one.checked_rem(two)?);
            if rest != 0 && (rest < 0) != (two < 0) { quotient.checked_sub(1) } else { Some(quotient) }
        };
        self.both(other, whole, |one, two| (one / two).floor()).and_then(Self::whole_if_precise)
    }

    pub(crate) fn modulo(self, other: Self) -> Result<Self, String> {
        not_zero(other)?;
        let whole = |one: i128, two: i128| {
            let rest = one.checked_rem(two)?;
            if rest != 0 && (rest < 0) != (two < 0) { rest.checked_add(two) } else { Some(rest) }
        };
        self.both(other, whole, |one, two| one - two * (one / two).floor())
    }

    pub(crate) fn power(self, other: Self) -> Result<Self, String> {
        if self.float() == 0.0 && other.float() < 0.0 {
            return Err("a division by zero".to_owned());
        }
        let whole = |one: i128, two: i128| one.checked_pow(u32::try_from(two).ok()?);
        self.both(other, whole, f64::powf)
    }

    pub(crate) fn negative(self) -> Result<Self, String> {
        Whole(0).minus(self)
    }

    pub(crate) fn factorial(self) -> Result<Self, String> {
        let Whole(number @ 0..=170) = self else { return Err("`!` wants a whole number from 0 to 170".to_owned()) };
        (1..=number).try_fold(Whole(1), |product, factor| product.times(Whole(factor)))
    }

    /// The whole number that a floating-point one is, where that is certain.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    pub(crate) fn whole_if_precise(self) -> Result<Self, String> {
        Ok(match self {
            Float(number) if number.fract() == 0.0 && number.abs() < PRECISE => Whole(number as i128),
            other => other,
        })
    }
}

fn not_zero(number: Number) -> Result<(), String> {
    if number.float() == 0.0 { Err("a division by zero".to_owned()) } else { Ok(()) }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whole(number) => write!(f, "{number}"),
            Float(number) if *number == 0.0 => f.write_str("0"),
            Float(number) if (1e-5..1e16).contains(&number.abs()) => write!(f, "{number}"),
            Float(number) => write!(f, "{number:e}"),
        }
    }
}
