//! From pieces to a number, by precedence.

use crate::functions;
use crate::number::Number;
use crate::parse::{Token, tokens};

/// How deep brackets and signs may be nested.
const DEEPEST: usize = 64;

/// Calculates an expression.
pub(crate) fn evaluate(expression: &str) -> Result<Number, String> {
    let tokens = tokens(expression)?;
    let mut reader = Reader { tokens: &tokens, depth: 0 };
    let number = reader.sum()?;
    match reader.tokens.first() {
        None => Ok(number),
        Some(token) => Err(format!("{} stands where an operator should", name(token))),
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn sum(&mut self) -> Result<Number, String> {
        let mut number = self.product()?;
        while let Some(mark) = self.take(&["+", "-"]) {
            let other = self.product()?;
            number = if mark == "+" { number.plus(other) } else { number.minus(other) }?;
        }
        Ok(number)
    }

    fn product(&mut self) -> Result<Number, String> {
        let mut number = self.signed()?;
        while let Some(mark) = self.take(&["*", "/", "//", "%"]) {
            let other = self.signed()?;
            number = match mark {
                "*" => number.times(other),
                "/" => number.over(other),
                "//" => number.whole_over(other),
                _ => number.modulo(other),
            }?;
        }
        Ok(number)
    }

    /// A sign binds less than a power: `-2^2` is -4.
    fn signed(&mut self) -> Result<Number, String> {
        match self.take(&["+", "-"]) {
            None => self.power(),
            Some(mark) => {
                let number = self.deeper(Self::signed)?;
                if mark == "-" { number.negative() } else { Ok(number) }
            }
        }
    }

    /// From the right: `2^3^2` is 2^9.
    fn power(&mut self) -> Result<Number, String> {
        let mut number = self.atom()?;
        while self.take(&["!"]).is_some() {
            number = number.factorial()?;
        }
        match self.take(&["^"]) {
            None => Ok(number),
            Some(_) => number.power(self.deeper(Self::signed)?),
        }
    }

    fn atom(&mut self) -> Result<Number, String> {
        let token = self.next().ok_or("the expression breaks off")?;
        match token {
            Token::Number(number) => Ok(*number),
            Token::Mark("(") => {
                let number = self.deeper(Self::sum)?;
                self.close()?;
                Ok(number)
            }
            Token::Name(name) if self.take(&["("]).is_some() => {
                let mut arguments = Vec::new();
                if self.take(&[")"]).is_none() {
                    arguments.push(self.deeper(Self::sum)?);
                    while self.take(&[","]).is_some() {
                        arguments.push(self.deeper(Self::sum)?);
                    }
                    self.close()?;
                }
                functions::call(name, &arguments)
            }
            Token::Name(name) => functions::constant(name),
            token => Err(format!("{} stands where a number should", name(token))),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        match self.next() {
            Some(Token::Mark(")")) => Ok(()),
            Some(token) => Err(format!("{} stands where `)` should", name(token))),
            None => Err("a `)` is missing".to_owned()),
        }
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Result<Number, String>) -> Result<Number, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the expression is nested more than {DEEPEST} deep"));
        }
        let number = read(self);
        self.depth -= 1;
        number
    }

    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, marks: &[&'static str]) -> Option<&'static str> {
        match self.tokens.split_first() {
            Some((Token::Mark(mark), rest)) if marks.contains(mark) => {
                self.tokens = rest;
                Some(mark)
            }
            _ => None,
        }
    }
}

fn name(token: &Token) -> String {
    match token {
        Token::Number(number) => format!("`{number}`"),
        Token::Name(name) => format!("`{name}`"),
        Token::Mark(mark) => format!("`{mark}`"),
    }
}
