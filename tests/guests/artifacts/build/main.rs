//! Builds the test guests and writes them down as one table.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use mortise_build::{Built, Kind, Manifest, Options, build, crates_in, guests_dir};

mod table;

/// What guests are made from.
const SOURCES: [&str; 4] = ["tests/guests", "wit", "sdk/rust", "sdk/build"];

/// Shares its id with `well`, so it is built by itself.
const NEXT: &str = "well-next";

#[expect(clippy::print_stdout, reason = "this is how a build script talks to cargo")]
#[expect(clippy::disallowed_methods, reason = "and this is how cargo talks to a build script")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }

    let target_dir = guests_dir(&out);
    let guests = |crates: Vec<PathBuf>, folder: &str| {
        let components = Some(target_dir.join("tests").join(folder));
        build(&Options { crates, target_dir: Some(target_dir.clone()), components, root: Some(root.clone()) })
    };
    let (next, crates): (Vec<_>, Vec<_>) =
        crates_in(&root.join("tests/guests"))?.into_iter().partition(|dir| dir.ends_with(NEXT));

    let mut table: Vec<(String, PathBuf)> = Vec::new();
    for Built { id, path, .. } in guests(crates, "first")? {
        let path = match id.as_str() {
            "table-bomb" => derive(&out, &id, &table::arm(&fs::read(&path)?)?)?,
            "well" => {
                let stripped = Manifest::strip(&fs::read(&path)?)?;
                table.push(("no-manifest".to_owned(), derive(&out, "no-manifest", &stripped)?));
                path
            }
            _ => path,
        };
        table.push((id, path));
    }
    table.extend(guests(next, "next")?.into_iter().map(|built| (NEXT.to_owned(), built.path)));
    table.push(("wrong-version".to_owned(), derive(&out, "wrong-version", &wrong_version(&root)?)?));
    table.sort();

    let mut text = String::from("&[\n");
    for (name, path) in table {
        writeln!(text, "    ({name:?}, include_bytes!({path:?}) as &[u8]),")?;
    }
    text.push(']');
    fs::write(out.join("guests.rs"), text)?;
    Ok(())
}

/// Writes a component that is made from another.
fn derive(out: &Path, name: &str, component: &[u8]) -> Result<PathBuf, Box<dyn Error>> {
    let path = out.join(format!("{name}.wasm"));
    fs::write(&path, component)?;
    Ok(path)
}

/// A component for a contract that doesn't exist yet, and a manifest that is honest about it.
fn wrong_version(root: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let component = wat::parse_file(root.join("tests/guests/artifacts/wrong-version.wat"))?;
    let mut manifest = Manifest::new("wrong-version", "0.1.0", Kind::Provider);
    manifest.api = "9.0.0".to_owned();
    Ok(manifest.embed(&component)?)
}
