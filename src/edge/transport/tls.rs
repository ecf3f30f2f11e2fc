//! TLS: which versions, whose certificates, and new ones without ending a connection.

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, ProducesTickets, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::config::{ClientAuth, Ssl, TlsVersion};

/// How often the files are read. Links that are swapped, as container platforms do it, are seen like files that are written.
const RESCAN: Duration = Duration::from_secs(1);

/// What may be agreed on, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What files a key may be read by: whoever is on the machine.
const READABLE_BY_OTHERS: u32 = 0o004;

/// Certificates, and what is agreed with callers.
pub(super) struct Tls {
    ssl: Ssl,
    /// For the connections that begin now; older ones keep what they began with.
    current: ArcSwap<ServerConfig>,
    /// Lets callers resume sessions of before a new certificate.
    ticketer: Arc<dyn ProducesTickets>,
    /// What `current` was made of.
    began_with: Files,
}

/// What the files hold.
#[derive(Clone, PartialEq, Eq)]
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

// === impl Tls ===

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Names the key of the configuration and the file, and says what is wrong with it.
    pub(super) fn load(ssl: &Ssl) -> Result<Self, String> {
        let files = Files::read(ssl)?;
        let ticketer = Ticketer::new().map_err(|error| error.to_string())?;
        let current = ArcSwap::from_pointee(build(ssl, &files, &ticketer)?);
        warn(ssl);
        Ok(Self { ssl: ssl.clone(), current, ticketer, began_with: files })
    }

    /// Agrees with the next caller.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Reads the files again and again. Files that can't be used leave everything as it is.
    pub(super) async fn watch(&self) -> Infallible {
        let (mut used, mut last) = (self.began_with.clone(), Ok(self.began_with.clone()));
        loop {
            sleep(RESCAN).await;
            let ssl = self.ssl.clone();
            let now = tokio::task::spawn_blocking(move || Files::read(&ssl));
            let Ok(now) = now.await else { continue };
            // Files are written one after the other: only what stays is looked at, and only once.
            let settled = now == last;
            let again = std::mem::replace(&mut last, now);
            match again {
                Ok(files) if settled && files != used => {
                    self.swap(&files);
                    used = files;
                }
                Err(error) if !settled => tracing::error!(error, "the certificate can't be read; the last one goes on"),
                _ => {}
            }
        }
    }

    fn swap(&self, files: &Files) {
        match build(&self.ssl, files, &self.ticketer) {
            Ok(config) => {
                self.current.store(Arc::new(config));
                tracing::info!("the certificate was read again; new connections get it");
                warn(&self.ssl);
            }
            Err(error) => tracing::error!(error, "the new certificate can't be used; the last one goes on"),
        }
    }
}

// === impl Files ===

impl Files {
    fn read(ssl: &Ssl) -> Result<Self, String> {
        let needed = |key: &str, path: &Option<std::path::PathBuf>| match path {
            Some(path) => read(key, path),
            None => Err(format!("server.ssl.{key} is not set; name a PEM file, or turn server.ssl.enabled off")),
        };
        let client_ca = match (ssl.client_auth, &ssl.client_ca) {
            (ClientAuth::None, _) => None,
            (_, Some(path)) => Some(read("client_ca", path)?),
            (_, None) => {
                return Err("server.ssl.client_ca is not set; name the authorities that client_auth is about".into());
            }
        };
        Ok(Self { cert: needed("cert", &ssl.cert)?, key: needed("key", &ssl.key)?, client_ca })
    }
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("server.ssl.{key}: can't read {}: {error}", path.display()))
}

/// What may be wrong and yet serves.
fn warn(ssl: &Ssl) {
    let mode = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if let Some(path) = ssl.key.as_deref().filter(|path| mode(path).is_ok_and(|mode| mode & READABLE_BY_OTHERS != 0)) {
        let path = path.display();
        tracing::warn!("server.ssl.key: everybody on this machine can read {path}; take the right away (chmod o-r)");
    }
    if ssl.client_auth == ClientAuth::None && ssl.client_ca.is_some() {
        tracing::warn!("server.ssl.client_ca has no effect while client_auth is none; set optional or required");
    }
}

fn build(ssl: &Ssl, files: &Files, ticketer: &Arc<dyn ProducesTickets>) -> Result<ServerConfig, String> {
    let place = |key: &str, path: &Option<std::path::PathBuf>| {
        format!("server.ssl.{key}: {}", path.as_deref().unwrap_or(Path::new("")).display())
    };
    let chain = certificates(&files.cert, &place("cert", &ssl.cert))?;
    let key_place = place("key", &ssl.key);
    let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|error| match error {
        rustls_pki_types::pem::Error::NoItemsFound => format!("{key_place} holds no private key in PEM"),
        error => format!("{key_place} can't be read as PEM: {error}"),
    })?;
    let provider = Arc::new(default_provider());
    let verifier = verifier(ssl, files, &provider)?;
    let versions = match ssl.min_version {
        TlsVersion::V1_2 => &[&TLS13, &TLS12][..],
        TlsVersion::V1_3 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
    let mut config = builder
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("{key_place} is not the key of {}", place("cert", &ssl.cert))
            }
            error => format!("{} and {key_place} can't be used: {error}", place("cert", &ssl.cert)),
        })?;
    // All suites are good, but not every scanner believes that of a caller's first choice.
    config.ignore_client_order = true;
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    // A ticket stands for a certificate that was checked; with other authorities it would have to be checked again.
    config.ticketer = match ssl.client_auth {
        ClientAuth::None => ticketer.clone(),
        ClientAuth::Optional | ClientAuth::Required => Ticketer::new().map_err(|error| error.to_string())?,
    };
    Ok(config)
}

fn certificates(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| format!("{place} can't be read as PEM: {error}"))?;
    if chain.is_empty() {
        return Err(format!("{place} holds no certificate in PEM"));
    }
    Ok(chain)
}

/// Checks callers' certificates.
fn verifier(ssl: &Ssl, files: &Files, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let Some(pem) = &files.client_ca else { return Ok(Arc::new(NoClientAuth)) };
    let place = format!("server.ssl.client_ca: {}", ssl.client_ca.as_deref().unwrap_or(Path::new("")).display());
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, &place)? {
        roots.add(certificate).map_err(|error| format!("{place} holds a certificate that can't be used: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let builder = if ssl.client_auth == ClientAuth::Optional { builder.allow_unauthenticated() } else { builder };
    let verifier = builder.build().map_err(|error| format!("{place}: {error}"))?;
    Ok(verifier)
}
