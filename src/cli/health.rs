//! `mortise health`: asks the server that runs with the same configuration whether it is ready.
//!
//! For who watches over a container in which there is nothing but the server. Listeners without TLS and without the PROXY
//! protocol are preferred, as they need the least to go well.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{block_on, print};
use crate::config::{Config, Listen};

/// Who watches gives up sooner or later too.
const PATIENCE: Duration = Duration::from_secs(5);
/// As the Host header; a server asked by this name answers wherever it listens.
const NAME: &str = "localhost";
/// What a proxy says that doesn't know for whom it asks.
const UNKNOWN_CALLER: &[u8] = b"PROXY UNKNOWN\r\n";

/// Lets in the one certificate that the server has, whatever names stand in it.
#[derive(Debug)]
struct Ours {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

pub(super) fn health(config: &Config) -> Result<ExitCode, String> {
    let asked = block_on(async { tokio::time::timeout(PATIENCE, ask(config)).await })?;
    let status = asked.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))??;
    if status == 200 { print("ready") } else { Err(format!("not ready: the server answers with status {status}")) }
}

/// The status with which the server answers.
async fn ask(config: &Config) -> Result<u16, String> {
    let server = &config.server;
    let alone = [Listen { address: SocketAddr::new(server.host, server.port), ssl: None, proxy_protocol: false }];
    let listeners = if server.listen.is_empty() { alone.as_slice() } else { &server.listen };
    let encrypted = |listen: &Listen| listen.ssl.unwrap_or(server.ssl.enabled);
    let listen = listeners
        .iter()
        .min_by_key(|listen| (encrypted(listen), listen.proxy_protocol))
        .ok_or_else(|| "the server listens nowhere".to_owned())?;
    let address = reachable(listen.address);
    let mut stream = TcpStream::connect(address).await.map_err(|error| format!("can't reach {address}: {error}"))?;
    if listen.proxy_protocol {
        stream.write_all(UNKNOWN_CALLER).await.map_err(|error| error.to_string())?;
    }
    if !encrypted(listen) {
        return exchange(stream).await.map_err(|error| format!("{address}: {error}"));
    }
    let certificate = server.ssl.cert.as_deref().ok_or("server.ssl.cert is not set")?;
    let name = ServerName::try_from(NAME).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(tls(certificate)?));
    // With TLS 1.3 a server that asks for a certificate says no only once it is spoken to.
    let answer = async { exchange(connector.connect(name, stream).await?).await };
    answer.await.map_err(|error| {
        format!("{address}: {error}; where callers must show a certificate, add a listener without TLS for 127.0.0.1")
    })
}

/// Where a server that listens on `address` is reached from the same machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<u16> {
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    // `HTTP/1.1 200`
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    let status = std::str::from_utf8(&start).ok().and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("what answers there doesn't speak HTTP"))
}

fn tls(certificate: &Path) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let certificate = CertificateDer::from_pem_file(certificate)
        .map_err(|error| format!("server.ssl.cert {}: {error}", certificate.display()))?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?.dangerous();
    Ok(config.with_custom_certificate_verifier(Arc::new(Ours { certificate, algorithms })).with_no_client_auth())
}

// === impl Ours ===

impl ServerCertVerifier for Ours {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
