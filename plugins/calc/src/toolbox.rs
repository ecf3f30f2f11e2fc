//! The tool and what is said of it.

use mortise_sdk::tool::{Call, Error, NoSettings, Reply, Tool, Toolbox};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evaluate::evaluate;
use crate::number::Number;

pub(crate) struct Calc;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// Such as `(3 + 4) * 2^10 / sqrt(2)`.
    expression: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    expression: String,
    /// The result in decimal digits.
    result: String,
    /// The result as a number, as near as a JSON number comes.
    value: f64,
    /// Whether the result is a whole number that was never rounded.
    exact: bool,
}

impl Toolbox for Calc {
    type Settings = NoSettings;

    fn tools() -> Vec<Tool<NoSettings>> {
        vec![
            Tool::new(
                "calculate",
                "Calculates an expression: + - * / % ^ // ! and brackets; pi, e, tau; sqrt, cbrt, abs, floor, ceil, round(x, digits), \
                 trunc, sign, exp, ln, log10, log2, log(x, base), sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, degrees, \
                 radians, min, max, sum, mean, gcd, lcm, hypot. Angles are in radians. Whole numbers are exact.",
                run,
            )
            .title("Calculate")
            .category("utilities")
            .returns::<Answer>()
            .read_only(),
        ]
    }
}

fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let number = evaluate(&arguments.expression).map_err(Error::invalid)?;
    let result = number.to_string();
    let answer = Answer {
        expression: arguments.expression,
        result: result.clone(),
        value: number.float(),
        exact: matches!(number, Number::Whole(_)),
    };
    Ok(Reply::text(result).with(&answer))
}
