//! One exchange over `wasi:http`.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use super::{Failure, Request, Response};

/// What an output stream takes at once, without asking.
const PIECE: usize = 4096;

/// Sends one request and reads its answer; follows nothing.
pub(super) fn exchange(request: &Request) -> Result<Response, Failure> {
    let outgoing = head(request)?;
    let body = outgoing.body().map_err(|()| Failure::failed("the request can't have a body"))?;
    let waiting = outgoing_handler::handle(outgoing, Some(options(request))).map_err(told)?;
    write(body, &request.body)?;
    waiting.subscribe().block();
    let incoming = match waiting.get() {
        Some(Ok(Ok(incoming))) => incoming,
        Some(Ok(Err(code))) => return Err(told(code)),
        Some(Err(())) | None => return Err(Failure::failed("the host gave no answer")),
    };
    read(request, &incoming)
}

fn head(request: &Request) -> Result<OutgoingRequest, Failure> {
    let entries: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let fields =
        Fields::from_list(&entries).map_err(|error| Failure::denied(format!("a header is refused: {error}")))?;
    let outgoing = OutgoingRequest::new(fields);
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    };
    let scheme = if request.url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(request.url.authority())))
        .and_then(|()| outgoing.set_path_with_query(Some(request.url.path())))
        .map_err(|()| Failure::failed("the method or the address is refused"))?;
    Ok(outgoing)
}

fn options(request: &Request) -> RequestOptions {
    let options = RequestOptions::new();
    let nanoseconds = Some(u64::from(request.timeout_ms) * 1_000_000);
    // A host that knows one of them not has its own.
    let _ = options.set_connect_timeout(nanoseconds);
    let _ = options.set_first_byte_timeout(nanoseconds);
    let _ = options.set_between_bytes_timeout(nanoseconds);
    options
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Failure> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| Failure::failed("the request can't have a body"))?;
        for piece in bytes.chunks(PIECE) {
            match stream.blocking_write_and_flush(piece) {
                Ok(()) => {}
                // A server may answer before it has read everything.
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(Failure::unavailable(format!("the request broke off: {}", error.to_debug_string())));
                }
            }
        }
    }
    OutgoingBody::finish(body, None).map_err(told)
}

fn read(request: &Request, incoming: &IncomingResponse) -> Result<Response, Failure> {
    let headers = incoming.headers().entries();
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let mut bytes = Vec::new();
    let mut truncated = false;
    let body = incoming.consume().map_err(|()| Failure::failed("the answer can't be read"))?;
    let stream = body.stream().map_err(|()| Failure::failed("the answer can't be read"))?;
    loop {
        // One byte more than is wanted tells whether there is more.
        let wanted = (request.limit + 1).saturating_sub(bytes.len()).min(64 << 10);
        match stream.blocking_read(wanted as u64) {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.map_or_else(|| Failure::unavailable("the answer broke off"), told));
            }
        }
        if bytes.len() > request.limit {
            bytes.truncate(request.limit);
            truncated = true;
            break;
        }
    }
    Ok(Response { url: request.url.clone(), status: incoming.status(), headers, body: bytes, truncated })
}

fn told(code: ErrorCode) -> Failure {
    match code {
        ErrorCode::HttpRequestDenied => Failure::denied("the operator has not allowed this address"),
        ErrorCode::DestinationIpProhibited => Failure::denied("its address is private, local or otherwise closed"),
        ErrorCode::DestinationNotFound | ErrorCode::DnsError(_) => Failure::not_found("the name is not known"),
        ErrorCode::DnsTimeout => Failure::unavailable("the name was not resolved in time"),
        ErrorCode::ConnectionRefused => Failure::unavailable("the connection was refused"),
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            Failure::unavailable("it did not answer in time")
        }
        ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            Failure::failed("its certificate or its encryption can't be trusted")
        }
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid => {
            Failure::failed("the method or the address is refused")
        }
        ErrorCode::InternalError(Some(reason)) => Failure::failed(reason),
        other => Failure::failed(format!("{other}").trim_start_matches("ErrorCode::").to_owned()),
    }
}
