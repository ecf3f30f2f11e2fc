//! Takes whatever it can get without end: processor time, the wall's time, memory, random bytes, looks at the clock, depth.
//!
//! Each must be stopped at its limit, and nobody else must wait for it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::Value;
use tool_kit::{Context, Tools, forever};

struct Spinner;

impl Tools for Spinner {
    const NAMES: &'static [&'static str] =
        &["loop", "sleep", "memory", "random", "chance", "clock", "recursion", "panic", "exit"];

    fn call(name: &str, _: &Value, _: &Context) -> Result<String, String> {
        match name {
            "loop" => forever(),
            "sleep" => std::thread::sleep(Duration::from_secs(1 << 30)),
            "memory" => {
                let mut blocks = Vec::new();
                loop {
                    blocks.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            "random" => drop(black_box(wasip2::random::random::get_random_bytes(1 << 40))),
            "chance" => loop {
                black_box(wasip2::random::random::get_random_bytes(60 << 10));
            },
            "clock" => loop {
                black_box(Instant::now());
            },
            "recursion" => return Ok(deeper(1).to_string()),
            "panic" => panic!("on purpose"),
            _ => std::process::exit(3),
        }
        Ok("nothing stopped me".to_owned())
    }
}

fn deeper(depth: u64) -> u64 {
    black_box(depth) + deeper(black_box(depth + 1))
}

tool_kit::tools!(Spinner);
