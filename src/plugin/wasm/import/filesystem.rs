//! `wasi:filesystem`: the session's workspace at `/workspace`, and nothing else.
//!
//! Staying inside is the library's work: paths are resolved below the directory that was opened, step by step, so that neither
//! `..` nor a link nor a link that was put there a moment ago leads out. What is added here: what a call writes is counted, and
//! only files, directories and links are opened: whoever opens a pipe waits for its other end.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::types::{self, ErrorCode, HostDescriptor, HostDirectoryEntryStream};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsError, FsResult, OutputStream, Pollable, StreamError, StreamResult,
};

use crate::plugin::wasm::tool::{Denials, Quota};

type Fd = Resource<types::Descriptor>;

/// A guest's files in one call.
pub(super) struct Files<'a> {
    pub(super) view: WasiFilesystemCtxView<'a>,
    pub(super) quota: &'a Arc<Quota>,
    pub(super) denials: &'a Arc<Denials>,
}

/// [`Files`] as the linker knows it.
pub(super) struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = Files<'a>;
}

/// A stream into a file that counts what goes through it.
struct Counted {
    inner: DynOutputStream,
    quota: Arc<Quota>,
    denials: Arc<Denials>,
}

// === impl Files ===

impl Files<'_> {
    fn count(&self, bytes: u64) -> FsResult<()> {
        if self.quota.take(bytes) {
            return Ok(());
        }
        full(self.quota, self.denials);
        Err(ErrorCode::InsufficientSpace.into())
    }

    fn counted(&mut self, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.view.table.delete(stream)?;
        let counted = Counted { inner, quota: self.quota.clone(), denials: self.denials.clone() };
        let counted: DynOutputStream = Box::new(counted);
        Ok(self.view.table.push(counted)?)
    }

    /// Bytes of the file at `path`, if it has no other name.
    async fn size(&mut self, fd: &Fd, flags: types::PathFlags, path: &str) -> u64 {
        let again = Resource::new_borrow(fd.rep());
        match self.view.stat_at(again, flags, path.to_owned()).await {
            Ok(stat) if stat.type_ == types::DescriptorType::RegularFile && stat.link_count <= 1 => stat.size,
            _ => 0,
        }
    }

    /// Whether what is at `path` may be opened; what isn't there may.
    async fn plain(&mut self, fd: &Fd, flags: types::PathFlags, path: &str) -> FsResult<()> {
        let again = Resource::new_borrow(fd.rep());
        let Ok(stat) = self.view.stat_at(again, flags, path.to_owned()).await else { return Ok(()) };
        match stat.type_ {
            types::DescriptorType::RegularFile
            | types::DescriptorType::Directory
            | types::DescriptorType::SymbolicLink => Ok(()),
            _ => {
                let plugin = self.denials.plugin();
                let cure =
                    format!("plugin `{plugin}` opened {path:?}, which is neither a file nor a directory; remove it");
                self.denials.deny("workspace", cure);
                Err(ErrorCode::NotPermitted.into())
            }
        }
    }
}

fn full(quota: &Quota, denials: &Denials) {
    denials.deny("limits", quota.cure(denials.plugin()));
}

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        types::Host::convert_error_code(&mut self.view, error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        types::Host::filesystem_error_code(&mut self.view, error)
    }
}

impl HostDescriptor for Files<'_> {
    async fn advise(&mut self, fd: Fd, offset: u64, len: u64, advice: types::Advice) -> FsResult<()> {
        self.view.advise(fd, offset, len, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.view.sync_data(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<types::DescriptorFlags> {
        self.view.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<types::DescriptorType> {
        self.view.get_type(fd).await
    }

    async fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        let before = self.view.stat(Resource::new_borrow(fd.rep())).await?.size;
        self.count(size.saturating_sub(before))?;
        self.view.set_size(fd, size).await?;
        self.quota.give(before.saturating_sub(size));
        Ok(())
    }

    async fn set_times(&mut self, fd: Fd, atim: types::NewTimestamp, mtim: types::NewTimestamp) -> FsResult<()> {
        self.view.set_times(fd, atim, mtim).await
    }

    async fn read(&mut self, fd: Fd, len: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        self.view.read(fd, len, offset).await
    }

    async fn write(&mut self, fd: Fd, buffer: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.count(buffer.len() as u64)?;
        // A gap costs nothing on disk, but whoever reads the file pays for it.
        let before = self.view.stat(Resource::new_borrow(fd.rep())).await?.size;
        self.count(offset.saturating_sub(before))?;
        self.view.write(fd, buffer, offset).await
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<types::DirectoryEntryStream>> {
        self.view.read_directory(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.view.sync(fd).await
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.count(ENTRY)?;
        self.view.create_directory_at(fd, path).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<types::DescriptorStat> {
        self.view.stat(fd).await
    }

    async fn stat_at(&mut self, fd: Fd, flags: types::PathFlags, path: String) -> FsResult<types::DescriptorStat> {
        self.view.stat_at(fd, flags, path).await
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
        atim: types::NewTimestamp,
        mtim: types::NewTimestamp,
    ) -> FsResult<()> {
        self.view.set_times_at(fd, flags, path, atim, mtim).await
    }

    async fn link_at(&mut self, fd: Fd, flags: types::PathFlags, old: String, to: Fd, new: String) -> FsResult<()> {
        self.count(ENTRY)?;
        self.view.link_at(fd, flags, old, to, new).await
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: types::PathFlags,
        path: String,
        open_flags: types::OpenFlags,
        flags: types::DescriptorFlags,
    ) -> FsResult<Fd> {
        self.plain(&fd, path_flags, &path).await?;
        if open_flags.contains(types::OpenFlags::CREATE) {
            self.count(ENTRY)?;
        }
        let emptied = match open_flags.contains(types::OpenFlags::TRUNCATE) {
            true => self.size(&fd, path_flags, &path).await,
            false => 0,
        };
        let opened = self.view.open_at(fd, path_flags, path, open_flags, flags).await?;
        self.quota.give(emptied);
        Ok(opened)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.view, fd)
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.view.readlink_at(fd, path).await
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.view.remove_directory_at(fd, path).await
    }

    async fn rename_at(&mut self, fd: Fd, old: String, to: Fd, new: String) -> FsResult<()> {
        self.view.rename_at(fd, old, to, new).await
    }

    async fn symlink_at(&mut self, fd: Fd, old: String, new: String) -> FsResult<()> {
        self.count(ENTRY)?;
        self.view.symlink_at(fd, old, new).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let removed = self.size(&fd, types::PathFlags::empty(), &path).await;
        self.view.unlink_file_at(fd, path).await?;
        self.quota.give(removed);
        Ok(())
    }

    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynInputStream>> {
        self.view.read_via_stream(fd, offset)
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.view.write_via_stream(fd, offset)?;
        self.counted(stream)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.view.append_via_stream(fd)?;
        self.counted(stream)
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        self.view.is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<types::MetadataHashValue> {
        self.view.metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        self.view.metadata_hash_at(fd, flags, path).await
    }
}

/// What a new name costs: so that a million empty files are too many too.
const ENTRY: u64 = 1 << 10;

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<types::DirectoryEntryStream>,
    ) -> FsResult<Option<types::DirectoryEntry>> {
        self.view.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<types::DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.view, stream)
    }
}

// === impl Counted ===

impl Counted {
    fn count(&self, bytes: usize) -> StreamResult<()> {
        if self.quota.take(bytes as u64) {
            return Ok(());
        }
        full(&self.quota, &self.denials);
        // In the system's words, so that the guest reads them as its own system's.
        let error = std::io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
        Err(StreamError::LastOperationFailed(error.into()))
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(bytes.len())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Counted {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}
