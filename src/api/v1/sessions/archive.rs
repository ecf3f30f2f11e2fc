//! `/api/v1/sessions/{session_id}/archive`: a session's files in one.

use std::path::PathBuf;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::{examples, found, of_session, owned};
use crate::api::State;
use crate::api::v1::PLATFORM;
use crate::api::v1::wire::unknown;
use crate::http::body::ReplyBody;
use crate::http::endpoint::answer;
use crate::http::{Endpoint, Fields, Reply, Request};
use crate::model::session::{Archive, ArchiveState};
use crate::model::{Error, Fault, Kind, Result};

/// How an archive is to be made.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read field by field")]
struct ArchiveRequest {
    /// `gzip`, which is what it is where it is left out.
    #[schemars(regex(pattern = "^gzip$"))]
    compression: Option<String>,
}

/// A session's files in one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SessionArchive")]
struct ArchiveView {
    /// Always true.
    success: bool,
    /// Names it.
    archive_id: String,
    /// The session whose files they are.
    session_id: String,
    /// Its place among the server's archives.
    archive_path: String,
    /// Bytes of it; null while it is being made.
    archive_size_bytes: Option<u64>,
    /// Files in it; null while it is being made.
    file_count: Option<u64>,
    /// Always `gzip`.
    compression: &'static str,
    /// `in_progress`, `completed` or `failed`.
    status: &'static str,
    /// Why there is none.
    error_message: Option<String>,
    /// Where it can be had once it is completed.
    download_url: String,
    /// When it was asked for.
    created_at: String,
    /// When it was there.
    completed_at: Option<String>,
}

const PATH: &str = "/api/v1/sessions/{session_id}/archive";
const DOWNLOAD: &str = "/api/v1/sessions/{session_id}/archive/download";
const GZIP: &str = "application/gzip";

/// Bytes that are read of a file at once.
const PIECE: usize = 64 << 10;

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    vec![
        of_session(Endpoint::post(&PLATFORM, PATH, |request| answer(make(request))))
            .named("archiveSession", "Puts a session's files into an archive.")
            .described(
                "A `tar.gz` with the files below `workspace/` and what they are in `manifest.json`. A large one goes on behind the \
                 answer (202); `GET` tells how far it has come.",
            )
            .takes::<ArchiveRequest>("How; `{}` will do.", examples::archive_request)
            .gives::<ArchiveView>("The archive.", examples::archive)
            .or_gives::<ArchiveView>(202, "It is being made.", examples::archive)
            .fails(&[404, 409]),
        of_session(Endpoint::get(&PLATFORM, PATH, |request| answer(show(request))))
            .named("getSessionArchive", "The newest archive of a session.")
            .gives::<ArchiveView>("The archive.", examples::archive)
            .fails(&[404, 409]),
        of_session(Endpoint::get(&PLATFORM, DOWNLOAD, |request| answer(download(request))))
            .named("downloadSessionArchive", "The newest archive of a session, as a file.")
            .gives_text(GZIP, "The file.")
            .with_header("Content-Disposition", "The file's name.")
            .fails(&[404, 409]),
    ]
}

fn shown(archive: Archive) -> Result<Reply> {
    Reply::json(&ArchiveView {
        success: true,
        archive_path: format!("/archives/{}.tar.gz", archive.id),
        archive_id: archive.id,
        download_url: DOWNLOAD.replace("{session_id}", &archive.session),
        session_id: archive.session,
        archive_size_bytes: archive.bytes,
        file_count: archive.files,
        compression: "gzip",
        status: archive.state.as_str(),
        error_message: archive.error,
        created_at: format!("{:.3}", archive.created),
        completed_at: archive.completed.map(|time| format!("{time:.3}")),
    })
}

async fn make(request: Request<State>) -> Result<Reply> {
    let session = owned(&request).await?;
    let (state, mut body) = request.fields()?;
    check(&mut body)?;
    unknown(body, &["compression"])?;
    let archive = state.sessions.archive(&session).await?;
    let status = if archive.state == ArchiveState::InProgress { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok(shown(archive)?.with_status(status))
}

fn check(body: &mut Fields) -> Result<()> {
    match body.take::<String>("compression")?.as_deref() {
        None | Some("gzip") => Ok(()),
        Some(_) => Err(body.wrong("compression", "it can be gzip")),
    }
}

async fn show(request: Request<State>) -> Result<Reply> {
    let session = found(&request).await?;
    shown(request.state.sessions.archived(&session).await?)
}

async fn download(request: Request<State>) -> Result<Reply> {
    let session = found(&request).await?;
    let archive = request.state.sessions.archived(&session).await?;
    if archive.state != ArchiveState::Completed {
        let what = format!("the archive is {}; ask again once it is completed", archive.state.as_str());
        return Err(Error::caller(Kind::Conflict, what));
    }
    let path = request.state.sessions.workspaces().archive(&archive.id);
    let mut reply = file(path).await?;
    let name = format!("attachment; filename=\"session-{}.tar.gz\"", archive.session);
    reply.headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(name).map_err(Error::internal)?);
    Ok(reply)
}

/// A file, as it is read.
async fn file(path: PathBuf) -> Result<Reply> {
    let unread = |error: std::io::Error| {
        Error::new(Kind::Storage, Fault::Us, "the archive can't be read; make another").with_private(error)
    };
    let file = File::open(path).await.map_err(unread)?;
    let stream = futures_util::stream::unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        match (&mut file).take(PIECE as u64).read_to_end(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Bytes::from(piece), file)),
            Err(error) => {
                tracing::error!(error = error.to_string(), "an archive can't be read to its end");
                None
            }
        }
    });
    let mut reply = Reply::whole(StatusCode::OK, GZIP, Bytes::new());
    reply.body = ReplyBody::Stream(Box::pin(stream));
    Ok(reply)
}
