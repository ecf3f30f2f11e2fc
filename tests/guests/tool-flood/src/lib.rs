//! Floods whatever takes something in: one file, many files, its answer, the log, the standard output, its memory.
//!
//! Each must be stopped at its limit, and the server must stay as it was.

use std::fs;
use std::io::Write;

use serde_json::Value;
use tool_kit::{Context, Tools, kv, log, progress};

struct Flood;

impl Tools for Flood {
    const NAMES: &'static [&'static str] = &["file", "files", "sparse", "answer", "log", "print", "memory", "progress"];

    fn call(name: &str, _: &Value, _: &Context) -> Result<String, String> {
        let block = vec![b'x'; 64 << 10];
        match name {
            "file" => {
                let mut file = fs::File::create("/workspace/huge").map_err(|error| error.to_string())?;
                for written in 0_u64.. {
                    file.write_all(&block).map_err(|error| format!("after {written} blocks: {error}"))?;
                }
            }
            "files" => {
                for number in 0_u64.. {
                    fs::write(format!("/workspace/{number}"), "")
                        .map_err(|error| format!("after {number} files: {error}"))?;
                }
            }
            "sparse" => {
                let file = fs::File::create("/workspace/sparse").map_err(|error| error.to_string())?;
                file.set_len(1 << 40).map_err(|error| error.to_string())?;
            }
            "answer" => return Ok("x".repeat(16 << 20)),
            "log" => {
                for number in 0..100_000 {
                    log::write(log::Level::Warn, &format!("flood {number}"));
                }
            }
            "print" => {
                for number in 0..100_000 {
                    println!("flood {number}");
                }
            }
            "progress" => {
                for number in 0..100_000 {
                    progress::report(None, &format!("flood {number}"));
                }
            }
            _ => {
                for number in 0_u64.. {
                    kv::set(&format!("{number}"), &block)
                        .map_err(|error| format!("after {number} values: {error:?}"))?;
                }
            }
        }
        Ok("nothing stopped me".to_owned())
    }
}

tool_kit::tools!(Flood);
