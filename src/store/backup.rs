//! A backup: every pair of a store in one stream, which knows whether it is whole.
//!
//! ```text
//! mortise backup 1\n
//! blocks       4 bytes: its length packed, not 0 · 4 bytes: its length unpacked · a zstd frame
//! end          4 bytes: 0 · 8 bytes: how many pairs there were · 32 bytes: SHA-256 of all before it
//! ```
//!
//! An unpacked block is pairs in the order of their keys: 4 bytes of length and the key, 4 bytes of length and the value.
//! Numbers are big-endian. The version changes when an older program couldn't read it; what the pairs mean is the business of
//! the store's own version, which is one of them.

use std::io::{self, ErrorKind, Read, Write};

use sha2::{Digest, Sha256};

use super::engine::Pair;

const HEAD: &[u8] = b"mortise backup ";
const VERSION: u8 = b'1';

/// A block is packed when it is so long.
const BLOCK: usize = 1 << 20;

/// No block is longer: one is [`BLOCK`] and a pair.
const LONGEST: usize = 1 << 30;

/// Fast, and makes JSON a quarter of its length.
const LEVEL: i32 = 3;

/// Why a backup can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It begins in another way.
    #[error("this is no backup of a store")]
    NotOne,
    /// It is of a later program.
    #[error("this backup is of a form that a later program writes; restore it with that one")]
    Later,
    /// Its end is missing.
    #[error("the backup is cut off: it ends before its end; use another one")]
    CutOff,
    /// It isn't what was written.
    #[error("the backup is damaged ({0}); use another one")]
    Damaged(&'static str),
    /// It can't be read at all.
    #[error("the backup can't be read: {0}")]
    Unreadable(io::Error),
}

/// Writes a backup.
pub struct Packer<W> {
    out: Hashing<W>,
    block: Vec<u8>,
    pairs: u64,
}

/// Reads a backup, block by block.
pub struct Unpacker<R> {
    from: Hashing<R>,
    pairs: u64,
}

/// Digests what goes through.
struct Hashing<T> {
    inner: T,
    digest: Sha256,
}

// === impl Packer ===

impl<W: Write> Packer<W> {
    /// Begins one.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = Hashing { inner: out, digest: Sha256::new() };
        out.write(HEAD)?;
        out.write(&[VERSION, b'\n'])?;
        Ok(Self { out, block: Vec::with_capacity(BLOCK), pairs: 0 })
    }

    /// The next pair.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        for part in [key, value] {
            self.block.extend(length(part.len())?.to_be_bytes());
            self.block.extend(part);
        }
        self.pairs += 1;
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&self.block, LEVEL)?;
        self.out.write(&length(packed.len())?.to_be_bytes())?;
        self.out.write(&length(self.block.len())?.to_be_bytes())?;
        self.out.write(&packed)?;
        self.block.clear();
        Ok(())
    }

    /// Ends it; says how many pairs it holds.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.out.write(&0_u32.to_be_bytes())?;
        self.out.write(&self.pairs.to_be_bytes())?;
        let digest = self.out.digest.finalize();
        self.out.inner.write_all(&digest)?;
        self.out.inner.flush()?;
        Ok(self.pairs)
    }
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).ok().filter(|_| bytes <= LONGEST).ok_or_else(|| io::Error::from(ErrorKind::FileTooLarge))
}

// === impl Unpacker ===

impl<R: Read> Unpacker<R> {
    /// Begins to read one.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(from: R) -> Result<Self, BackupError> {
        let mut from = Hashing { inner: from, digest: Sha256::new() };
        let head: [u8; HEAD.len() + 2] = from.read().map_err(|error| match error {
            BackupError::CutOff => BackupError::NotOne,
            other => other,
        })?;
        match head.strip_prefix(HEAD) {
            Some([VERSION, b'\n']) => Ok(Self { from, pairs: 0 }),
            Some(_) => Err(BackupError::Later),
            None => Err(BackupError::NotOne),
        }
    }

    /// The next pairs; none when all were read and the backup is known to be whole.
    ///
    /// # Errors
    /// If it isn't whole. What was read before is worth nothing then.
    pub fn next_block(&mut self) -> Result<Option<Vec<Pair>>, BackupError> {
        let packed = self.number()?;
        if packed == 0 {
            return self.end().map(|()| None);
        }
        let unpacked = self.number()?;
        if packed > LONGEST || unpacked > LONGEST {
            return Err(BackupError::Damaged("a block is too long"));
        }
        let mut bytes = Vec::new();
        (&mut self.from.inner).take(packed as u64).read_to_end(&mut bytes).map_err(BackupError::Unreadable)?;
        if bytes.len() < packed {
            return Err(BackupError::CutOff);
        }
        self.from.digest.update(&bytes);
        let block =
            zstd::bulk::decompress(&bytes, unpacked).map_err(|_| BackupError::Damaged("a block can't be unpacked"))?;
        let pairs = pairs(&block).ok_or(BackupError::Damaged("a block holds no pairs"))?;
        self.pairs += pairs.len() as u64;
        Ok(Some(pairs))
    }

    fn number(&mut self) -> Result<usize, BackupError> {
        let number = u32::from_be_bytes(self.from.read()?);
        usize::try_from(number).map_err(|_| BackupError::Damaged("a block is too long"))
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let pairs = u64::from_be_bytes(self.from.read()?);
        let expected = self.from.digest.clone().finalize();
        let found: [u8; 32] = self.from.read()?;
        if found != expected.as_slice() || pairs != self.pairs {
            return Err(BackupError::Damaged("its checksum is another one"));
        }
        match self.from.read::<1>() {
            Err(BackupError::CutOff) => Ok(()),
            Ok(_) => Err(BackupError::Damaged("something follows its end")),
            Err(error) => Err(error),
        }
    }
}

fn pairs(mut block: &[u8]) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    while !block.is_empty() {
        pairs.push((part(&mut block)?, part(&mut block)?));
    }
    Some(pairs)
}

fn part(block: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = block.split_first_chunk()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *block = rest;
    Some(part.to_vec())
}

// === impl Hashing ===

impl<W: Write> Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.inner.write_all(bytes)
    }
}

impl<R: Read> Hashing<R> {
    fn read<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => BackupError::CutOff,
            _ => BackupError::Unreadable(error),
        })?;
        self.digest.update(bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(pairs: &[Pair]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut packer = Packer::new(&mut bytes).unwrap();
        pairs.iter().for_each(|(key, value)| packer.push(key, value).unwrap());
        assert_eq!(packer.finish().unwrap(), pairs.len() as u64);
        bytes
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<Pair>, BackupError> {
        let mut unpacker = Unpacker::new(bytes)?;
        let mut pairs = Vec::new();
        while let Some(more) = unpacker.next_block()? {
            pairs.extend(more);
        }
        Ok(pairs)
    }

    fn some() -> Vec<Pair> {
        (0..2000_u32).map(|n| (n.to_be_bytes().to_vec(), vec![b'x'; usize::try_from(n).unwrap()])).collect()
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(pairs: Vec<(Vec<u8>, Vec<u8>)>) {
            prop_assert_eq!(unpacked(&packed(&pairs)).unwrap(), pairs);
        }

        #[test]
        fn any_changed_byte_is_noticed(at: prop::sample::Index, bit in 0..8_u8) {
            let mut bytes = packed(&some());
            let index = at.index(bytes.len());
            bytes[index] ^= 1 << bit;
            prop_assert!(unpacked(&bytes).is_err(), "bit {bit} of byte {index}");
        }

        #[test]
        fn whatever_is_cut_off_is_noticed(at: prop::sample::Index) {
            let bytes = packed(&some());
            prop_assert!(unpacked(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn nonsense_is_refused(bytes: Vec<u8>) {
            prop_assert!(unpacked(&bytes).is_err());
            let mut headed = b"mortise backup 1\n".to_vec();
            headed.extend(bytes);
            prop_assert!(unpacked(&headed).is_err());
        }
    }

    #[test]
    fn several_blocks_are_one_backup() {
        let bytes = packed(&some());
        assert!(bytes.len() < 200_000, "{} bytes", bytes.len());
        assert_eq!(unpacked(&bytes).unwrap(), some());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut bytes = packed(&[]);
        let error = |bytes: &[u8]| unpacked(bytes).unwrap_err().to_string();
        assert!(error(b"SQLite format 3\0 and so on").contains("no backup"));
        assert!(error(&bytes[..40]).contains("cut off"));
        bytes.push(0);
        assert!(error(&bytes).contains("follows its end"));
        bytes[15] = b'2';
        assert!(error(&bytes).contains("later program"));
    }
}
