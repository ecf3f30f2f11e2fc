//! Functions and constants.
//!
//! | | |
//! |---|---|
//! | one number | `sqrt cbrt abs floor ceil round trunc sign exp ln log10 log2 sin cos tan asin acos atan sinh cosh tanh degrees radians factorial` |
//! | two | `log(x, base) round(x, digits) atan2(y, x) pow(x, y) mod(x, y)` |
//! | any number | `min max sum mean gcd lcm hypot` |

use crate::number::Number::{self, Float, Whole};

/// How many digits `round` can be asked for.
const DIGITS: i128 = 15;

pub(crate) fn constant(name: &str) -> Result<Number, String> {
    match name {
        "pi" => Ok(Float(std::f64::consts::PI)),
        "e" => Ok(Float(std::f64::consts::E)),
        "tau" => Ok(Float(std::f64::consts::TAU)),
        _ => Err(format!("`{name}` is not known; a function needs brackets, and there are no variables")),
    }
}

pub(crate) fn call(name: &str, arguments: &[Number]) -> Result<Number, String> {
    let result = match (name, arguments) {
        ("log", [x, base]) => Number::checked(x.float().ln() / base.float().ln()),
        ("round", [x, Whole(digits)]) => round(*x, *digits),
        ("atan2", [y, x]) => Number::checked(y.float().atan2(x.float())),
        ("pow", [x, y]) => x.power(*y),
        ("mod", [x, y]) => x.modulo(*y),
        ("min", [first, rest @ ..]) => {
            Ok(rest.iter().fold(*first, |best, x| if x.float() < best.float() { *x } else { best }))
        }
        ("max", [first, rest @ ..]) => {
            Ok(rest.iter().fold(*first, |best, x| if x.float() > best.float() { *x } else { best }))
        }
        ("sum", numbers) => numbers.iter().try_fold(Whole(0), |sum, x| sum.plus(*x)),
        ("mean", [_, ..]) => {
            let count = Whole(i128::try_from(arguments.len()).unwrap_or(i128::MAX));
            arguments.iter().try_fold(Whole(0), |sum, x| sum.plus(*x)).and_then(|sum| sum.over(count))
        }
        ("gcd", [_, ..]) => whole(name, arguments)?.into_iter().try_fold(0, gcd).map(Whole),
        ("lcm", [_, ..]) => whole(name, arguments)?.into_iter().try_fold(1, lcm).map(Whole),
        ("hypot", [_, ..]) => Number::checked(arguments.iter().fold(0.0, |sum: f64, x| sum.hypot(x.float()))),
        (name, [x]) => one(name, *x),
        (name, _) if one(name, Whole(1)).is_ok() => Err(format!("`{name}` wants one number, not {}", arguments.len())),
        (name, _) if NAMES.contains(&name) => {
            Err(format!("`{name}` can't be given {} numbers like these", arguments.len()))
        }
        (name, _) => Err(unknown(name)),
    };
    result.map_err(|error| if error.starts_with('`') { error } else { format!("`{name}`: {error}") })
}

const NAMES: [&str; 13] =
    ["log", "round", "atan2", "pow", "mod", "min", "max", "sum", "mean", "gcd", "lcm", "hypot", "factorial"];

fn unknown(name: &str) -> String {
    format!("`{name}` is no function that is known here")
}

fn one(name: &str, number: Number) -> Result<Number, String> {
    let x = number.float();
    let whole = |rounded: f64| match number {
        Whole(_) => Ok(number),
        Float(_) => Number::checked(rounded).and_then(Number::whole_if_precise),
    };
    match name {
        "abs" => {
            if x < 0.0 {
                number.negative()
            } else {
                Ok(number)
            }
        }
        "sign" => Ok(Whole(if x > 0.0 {
            1
        } else if x < 0.0 {
            -1
        } else {
            0
        })),
        "floor" => whole(x.floor()),
        "ceil" => whole(x.ceil()),
        "trunc" => whole(x.trunc()),
        "round" => whole(x.round()),
        "factorial" => number.factorial(),
        "sqrt" => root(number),
        "cbrt" => Number::checked(x.cbrt()),
        "exp" => Number::checked(x.exp()),
        "ln" | "log" => Number::checked(x.ln()),
        "log10" => Number::checked(x.log10()),
        "log2" => Number::checked(x.log2()),
        "sin" => Number::checked(x.sin()),
        "cos" => Number::checked(x.cos()),
        "tan" => Number::checked(x.tan()),
        "asin" => Number::checked(x.asin()),
        "acos" => Number::checked(x.acos()),
        "atan" => Number::checked(x.atan()),
        "sinh" => Number::checked(x.sinh()),
        "cosh" => Number::checked(x.cosh()),
        "tanh" => Number::checked(x.tanh()),
        "degrees" => Number::checked(x.to_degrees()),
        "radians" => Number::checked(x.to_radians()),
        _ => Err(unknown(name)),
    }
}

/// Exact for squares.
fn root(number: Number) -> Result<Number, String> {
    match number {
        Whole(square)
            if let Some(root) = square.checked_isqrt()
                && root.checked_mul(root) == Some(square) =>
        {
            Ok(Whole(root))
        }
        other => Number::checked(other.float().sqrt()),
    }
}

fn round(number: Number, digits: i128) -> Result<Number, String> {
    match (number, i32::try_from(digits)) {
        (Whole(_), Ok(0..)) => Ok(number),
        (_, Ok(places)) if digits.abs() <= DIGITS => {
            let scale = 10f64.powi(places);
            let scaled = (number.float() * scale).round() / scale;
            // What is too large to be scaled has no such digits.
            Number::checked(if scaled.is_finite() { scaled } else { number.float() })
        }
        _ => Err(format!("it rounds to at most {DIGITS} digits")),
    }
}

fn whole(name: &str, numbers: &[Number]) -> Result<Vec<i128>, String> {
    let whole = numbers.iter().map(|number| match number {
        Whole(number) => number.checked_abs(),
        Float(_) => None,
    });
    whole.collect::<Option<_>>().ok_or_else(|| format!("`{name}` wants whole numbers"))
}

#[expect(clippy::unnecessary_wraps, reason = "as its sister has it")]
fn gcd(mut one: i128, mut two: i128) -> Result<i128, String> {
    while two != 0 {
        (one, two) = (two, one.checked_rem(two).unwrap_or_default());
    }
    Ok(one)
}

fn lcm(one: i128, two: i128) -> Result<i128, String> {
    if one == 0 || two == 0 {
        return Ok(0);
    }
    let shared = gcd(one, two)?;
    one.checked_div(shared).and_then(|part| part.checked_mul(two)).ok_or_else(|| "the result is too large".to_owned())
}
