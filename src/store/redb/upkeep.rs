//! What is done to a database while nobody serves from it: checked, made smaller, put in another's place.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use redb::{Builder, Database};

use super::medium::{DatabaseFile, Medium, fault};
use super::shared::RECORDS;
use crate::config;
use crate::store::backup::Unpacker;
use crate::store::engine::StoreError;

/// How many of a backup's pairs are one transaction, about.
const AT_ONCE: usize = 1 << 16;

/// Whether there is a database where `config` says.
pub fn exists(config: &config::Store) -> bool {
    DatabaseFile::new(config).exists()
}

/// Verifies every page of the database against its checksum, and repairs what can be repaired without loss.
///
/// # Errors
/// If it is damaged, or another process has it open.
pub fn verify(config: &config::Store) -> Result<(), StoreError> {
    let file = there(config)?;
    let checked = file.patiently(|| file.builder().set_check_integrity_on_open(true).open(file.path()))?;
    checked.close().map_err(fault)
}

/// Gives the disk back what is no longer used; says how many bytes the file had, and has.
///
/// # Errors
/// If it can't be read or written, or another process has it open.
pub fn compact(config: &config::Store) -> Result<(u64, u64), StoreError> {
    let file = there(config)?;
    let size = || fs::metadata(file.path()).map(|file| file.len()).map_err(io_fault);
    let before = size()?;
    let mut database = file.open()?;
    while database.compact().map_err(fault)? {}
    database.close().map_err(fault)?;
    Ok((before, size()?))
}

/// Makes a database of the backup `from`, whole or not at all, in place of the one that is there if `overwrite` says so; says
/// how many pairs it holds.
///
/// # Errors
/// If the backup isn't whole, there is a database already, or another process has it open.
pub fn restore(config: &config::Store, from: impl Read, overwrite: bool) -> Result<u64, StoreError> {
    let file = DatabaseFile::new(config).at_once();
    // Nobody may open it meanwhile.
    let _old = match file.exists() {
        true if !overwrite => {
            return Err(StoreError::Unavailable(format!(
                "{} is there already; --overwrite puts the backup in its place",
                file.path().display()
            )));
        }
        true => Some(held(&file)?),
        false => {
            file.make_directory().map_err(io_fault)?;
            None
        }
    };
    let new = file.clone().beside("restoring");
    let _ = fs::remove_file(new.path());
    let restored = fill(&new, from).and_then(|pairs| {
        if overwrite { fs::rename(new.path(), file.path()) } else { fs::hard_link(new.path(), file.path()) }
            .and_then(|()| file.sync_directory())
            .map_err(io_fault)?;
        Ok(pairs)
    });
    let _ = fs::remove_file(new.path());
    restored
}

/// Keeps others from opening what is to be replaced, if it can be opened at all.
fn held(file: &DatabaseFile) -> Result<Option<Database>, StoreError> {
    match file.open() {
        Ok(database) => Ok(Some(database)),
        // That may be why a backup is restored.
        Err(StoreError::Corrupt(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn fill(file: &DatabaseFile, from: impl Read) -> Result<u64, StoreError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file.path()).map_err(io_fault)?;
    // Alone, whatever the mode of those who will open it.
    let database = Builder::new().create(file.path()).map_err(fault)?;
    let broken = |error| StoreError::Unavailable(format!("{error}"));
    let mut backup = Unpacker::new(from).map_err(broken)?;
    let (mut pairs, mut over) = (0, false);
    while !over {
        let mut transaction = database.begin_write().map_err(fault)?;
        transaction.set_two_phase_commit(true);
        {
            let mut table = transaction.open_table(RECORDS).map_err(fault)?;
            let until = pairs + AT_ONCE as u64;
            while pairs < until {
                let Some(block) = backup.next_block().map_err(broken)? else {
                    over = true;
                    break;
                };
                for (key, value) in block {
                    table.insert(key.as_slice(), value.as_slice()).map_err(fault)?;
                    pairs += 1;
                }
            }
        }
        transaction.commit().map_err(fault)?;
    }
    database.close().map_err(fault)?;
    Ok(pairs)
}

fn there(config: &config::Store) -> Result<DatabaseFile, StoreError> {
    let file = DatabaseFile::new(config).at_once();
    if file.exists() {
        Ok(file)
    } else {
        Err(StoreError::Unavailable(format!("there is no database at {}", file.path().display())))
    }
}

fn io_fault(error: io::Error) -> StoreError {
    fault(redb::Error::Io(error))
}
