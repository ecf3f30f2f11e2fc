//! The tool, called as the host calls it, and its arithmetic.

use mortise_sdk::testing::tool::Host;
use proptest::prelude::*;
use serde_json::json;

use crate::evaluate::evaluate;
use crate::number::Number;
use crate::toolbox::Calc;

fn result(expression: &str) -> String {
    evaluate(expression).map_or_else(|error| error, |number| number.to_string())
}

#[test]
fn expressions_are_calculated() {
    for (expression, expected) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("-2^2", "-4"),
        ("2^-2", "0.25"),
        ("2^3^2", "512"),
        ("2 ** 10", "1024"),
        ("7 / 2", "3.5"),
        ("6 / 2", "3"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("7 % -3", "-2"),
        ("7.5 // 2", "3"),
        ("5!", "120"),
        ("30!", "265252859812191058636308480000000"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("round(0.1 + 0.2, 2)", "0.3"),
        ("round(2.5)", "3"),
        ("round(12345, -2)", "12300"),
        ("9007199254740993 * 3", "27021597764222979"),
        ("2^127 - 1 + 2^127", "3.402823669209385e38"),
        ("1_000 * 0xff + 0b11 - 0o7", "254996"),
        ("1e3", "1000"),
        ("1.5e-3 * 2", "0.003"),
        ("sqrt(16)", "4"),
        ("sqrt(2)", "1.4142135623730951"),
        ("MAX(3, 1.5, 2)", "3"),
        ("min(3, 1.5, 2)", "1.5"),
        ("sum(1, 2, 3) / mean(2, 4)", "2"),
        ("gcd(12, 18) + lcm(4, 6)", "18"),
        ("log(8, 2)", "3"),
        ("sin(0) + cos(0)", "1"),
        ("degrees(pi)", "180"),
        ("hypot(3, 4)", "5"),
        ("abs(-3) + floor(2.7) + ceil(2.1) + trunc(-2.7) + sign(-9)", "5"),
        ("2×3÷4−1·π", "-1.6415926535897931"),
        ("--3", "3"),
        ("0 * -1.5", "0"),
    ] {
        assert_eq!(result(expression), expected, "{expression}");
    }
}

#[test]
fn what_can_t_be_calculated_is_said() {
    for (expression, says) in [
        ("", "the expression breaks off"),
        ("1 +", "the expression breaks off"),
        ("1 2", "`2` stands where an operator should"),
        ("2 * / 3", "`/` stands where a number should"),
        ("(1", "a `)` is missing"),
        ("(1, 2)", "`,` stands where `)` should"),
        ("1 / 0", "a division by zero"),
        ("1 % 0.0", "a division by zero"),
        ("0 ^ -1", "a division by zero"),
        ("sqrt(-1)", "`sqrt`: the result is not defined"),
        ("9^9^9", "the result is too large"),
        ("171!", "`!` wants a whole number from 0 to 170"),
        ("1.5!", "`!` wants a whole number from 0 to 170"),
        ("x + 1", "`x` is not known; a function needs brackets, and there are no variables"),
        ("system(1)", "`system` is no function that is known here"),
        ("sin(1, 2)", "`sin` wants one number, not 2"),
        ("gcd(1.5)", "`gcd` wants whole numbers"),
        ("min()", "`min` can't be given 0 numbers like these"),
        ("1 = 1", "`=` is no part of an expression"),
        ("__import__('os')", "`_` is no part of an expression"),
        ("1.2.3", "`1.2.3` is no number"),
        ("0xzz", "`0xzz` is no number"),
        ("1e999", "the result is too large"),
        ("round(1.5, 99)", "`round`: it rounds to at most 15 digits"),
    ] {
        assert_eq!(result(expression), says, "{expression}");
    }
    assert_eq!(result(&"(".repeat(1000)), "the expression is nested more than 64 deep");
    assert_eq!(result(&"-".repeat(1000)), "the expression is nested more than 64 deep");
    assert_eq!(result(&"1^".repeat(500)), "the expression is nested more than 64 deep");
    assert_eq!(result(&"1".repeat(2001)), "the expression has 2001 bytes, more than 2000");
}

#[test]
fn the_answer_says_whether_it_is_exact() {
    let host = Host::new();
    let answer = host.call::<Calc>("calculate", json!({"expression": "2^100"})).unwrap();
    assert_eq!(answer.text, "1267650600228229401496703205376");
    assert_eq!((&answer.json["exact"], &answer.json["value"]), (&json!(true), &json!(1.267_650_600_228_229_4e30)));
    let answer = host.call::<Calc>("calculate", json!({"expression": "1/3"})).unwrap();
    assert_eq!((answer.text.as_str(), &answer.json["exact"]), ("0.3333333333333333", &json!(false)));
    let error = host.call::<Calc>("calculate", json!({"expression": "1/0"})).unwrap_err();
    assert_eq!(error.message, "a division by zero");
}

proptest! {
    #[test]
    fn whole_numbers_are_exact(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, c in 1i64..1000) {
        let expected = i128::from(a) * i128::from(b) + i128::from(a).div_euclid(i128::from(c)) - i128::from(b).rem_euclid(i128::from(c));
        prop_assert_eq!(evaluate(&format!("{a} * {b} + {a} // {c} - {b} % {c}")), Ok(Number::Whole(expected)));
    }

    #[test]
    fn nothing_makes_it_panic(expression in "([0-9.e+*/%^!(),-]|sqrt|min|pi|round|lcm| ){0,60}") {
        let _ = evaluate(&expression);
    }

    #[test]
    fn nor_does_any_text(expression in ".{0,60}") {
        let _ = evaluate(&expression);
    }
}
