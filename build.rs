//! Builds the bundled plugins and writes them down as one expression for the host to include.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use mortise_build::{Options, build, crates_in, guests_dir};
use sha2::{Digest, Sha256};

/// What a plugin is made from. Not `src`: an edit of the host rebuilds no guest.
const SOURCES: [&str; 5] = ["build.rs", "plugins", "wit", "sdk/rust", "sdk/build"];

#[expect(clippy::disallowed_methods, reason = "this is how cargo talks to a build script")]
fn main() -> Result<(), Box<dyn Error>> {
    // For what asks at run time what it was compiled for.
    println!("cargo:rustc-env=MORTISE_TARGET={}", env::var("TARGET")?);
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    for source in SOURCES {
        println!("cargo:rerun-if-changed={root}/{source}");
    }

    let mut table = String::from("&[\n");
    let crates = crates_in(&Path::new(&root).join("plugins"))?;
    if !crates.is_empty() {
        let target_dir = Some(guests_dir(Path::new(&out)));
        let root = Some(root.into());
        for built in build(&Options { crates, target_dir, components: None, root })? {
            let digest: String =
                Sha256::digest(fs::read(&built.path)?).iter().map(|byte| format!("{byte:02x}")).collect();
            let (id, path) = (built.id, built.path);
            writeln!(table, "    Bundled {{ id: {id:?}, component: include_bytes!({path:?}), digest: {digest:?} }},")?;
        }
    }
    table.push(']');
    fs::write(Path::new(&out).join("bundled.rs"), table)?;
    Ok(())
}
