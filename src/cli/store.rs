//! `mortise store`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{block_on, print};
use crate::config::{self, StoreEngine};
use crate::model::Error;
use crate::service::{control, upkeep};
use crate::store::backup::Unpacker;
use crate::store::redb as database;
use crate::store::{Checked, Store};

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Read all that is stored, and say whether it is whole; also while the server runs.
    Check,
    /// Give the disk back what is no longer used; not while the server runs.
    Compact,
    /// Write all records into one file; also while the server runs. Files of workspaces are not in it.
    Backup {
        /// A file that isn't there yet.
        file: PathBuf,
    },
    /// Put the records of a backup where there are none; not while the server runs.
    Restore {
        /// What `mortise store backup` wrote.
        file: PathBuf,
        /// Put them in the place of those that are there, which are lost.
        #[arg(long)]
        overwrite: bool,
    },
}

pub(super) fn run(command: &StoreCommand, config: &config::Store) -> Result<ExitCode, String> {
    if config.engine == StoreEngine::Memory {
        return Err("store.engine is memory: nothing outlives the process".into());
    }
    match command {
        StoreCommand::Check => check(config),
        StoreCommand::Compact => compact(config),
        StoreCommand::Backup { file } => backup(config, file),
        StoreCommand::Restore { file, overwrite } => restore(config, file, *overwrite),
    }
}

fn check(config: &config::Store) -> Result<ExitCode, String> {
    let (checked, pages) = match control::ask(&config.path, upkeep::CHECK, Value::Null)? {
        Some(answer) => (serde_json::from_value(answer).map_err(|error| error.to_string())?, false),
        None => {
            database::verify(config).map_err(|error| error.to_string())?;
            (offline(config, Store::check)?, true)
        }
    };
    let Checked { version, records, bytes, damaged, examples } = checked;
    let mut text = format!("{records} records, {bytes} bytes, version {version}\n");
    let means = if pages {
        "every page is as its checksum says"
    } else {
        "pages are verified only while the server doesn't run"
    };
    // Writing to a string can't fail.
    let _ = writeln!(text, "{means}");
    if damaged == 0 {
        let _ = writeln!(text, "every record can be read");
    } else {
        let _ = writeln!(text, "{damaged} can't be read; restore a backup. Keys: {}", examples.join(" "));
    }
    print(&text)?;
    Ok(if damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compact(config: &config::Store) -> Result<ExitCode, String> {
    let (before, after) = database::compact(config).map_err(|error| error.to_string())?;
    print(&format!("{before} bytes before, {after} bytes now"))
}

fn backup(config: &config::Store, file: &Path) -> Result<ExitCode, String> {
    if file.exists() {
        return Err(format!("{} is there already; name another file", file.display()));
    }
    let mut part = OsString::from(file);
    part.push(".part");
    let part = PathBuf::from(part);
    let written = write(config, &part).and_then(|records| {
        // Another one may have come meanwhile.
        fs::hard_link(&part, file).map_err(|error| at(file, error))?;
        Ok(records)
    });
    let _ = fs::remove_file(&part);
    let records = written?;
    let bytes = fs::metadata(file).map_err(|error| at(file, error))?.len();
    print(&format!("{records} records, {bytes} bytes, read again and whole: {}", file.display()))
}

/// Writes a backup into `part`, and reads it again.
fn write(config: &config::Store, part: &Path) -> Result<u64, String> {
    let wrong = |error: io::Error| at(part, error);
    let _ = fs::remove_file(part);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(wrong)?;
    let mut out = BufWriter::with_capacity(1 << 16, &file);
    match control::fetch(&config.path, upkeep::BACKUP)? {
        Some(mut stream) => drop(io::copy(&mut stream, &mut out).map_err(wrong)?),
        None => drop(offline(config, |store| store.backup(&mut out))?),
    }
    out.flush().map_err(wrong)?;
    drop(out);
    file.sync_all().map_err(wrong)?;
    let mut backup = Unpacker::new(reader(part)?).map_err(|error| error.to_string())?;
    let mut records = 0;
    while let Some(pairs) = backup.next_block().map_err(|error| error.to_string())? {
        records += pairs.len() as u64;
    }
    Ok(records)
}

fn restore(config: &config::Store, file: &Path, overwrite: bool) -> Result<ExitCode, String> {
    let records = database::restore(config, reader(file)?, overwrite).map_err(|error| error.to_string())?;
    print(&format!("{records} records were restored into {}", config.path.display()))
}

fn reader(file: &Path) -> Result<BufReader<File>, String> {
    Ok(BufReader::with_capacity(1 << 16, File::open(file).map_err(|error| at(file, error))?))
}

/// Does `work` with the store of a server that doesn't run.
fn offline<T>(config: &config::Store, work: impl FnOnce(&Store) -> Result<T, Error>) -> Result<T, String> {
    if !database::exists(config) {
        return Err(format!("there is no database in {}", config.path.display()));
    }
    let words = |error: Error| error.private().unwrap_or(error.public()).to_owned();
    let store = Store::as_it_is(config).map_err(words)?;
    let done = work(&store).map_err(words);
    block_on(store.close())?.map_err(words)?;
    done
}

fn at(path: &Path, error: io::Error) -> String {
    format!("{}: {error}", path.display())
}
