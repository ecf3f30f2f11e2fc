//! Builds one plugin: `mortise-build DIR [--out FILE]`.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use mortise_build::{Options, build};

const USAGE: &str = "usage: mortise-build DIR [--out FILE]";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let mut dir = None;
    let mut out = None;
    while let Some(argument) = arguments.next() {
        if argument == "--out" {
            out = Some(PathBuf::from(arguments.next().ok_or(USAGE)?));
        } else if dir.replace(PathBuf::from(argument)).is_some() {
            return Err(USAGE.into());
        }
    }
    let dir = dir.ok_or(USAGE)?;
    for built in build(&Options { crates: vec![dir], ..Options::default() })? {
        let path = match &out {
            Some(out) => {
                fs::copy(&built.path, out)?;
                out
            }
            None => &built.path,
        };
        writeln!(io::stdout(), "{} {} {}", built.id, built.manifest.version, path.display())?;
    }
    Ok(())
}
