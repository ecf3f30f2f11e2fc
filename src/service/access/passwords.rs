//! Passwords: hashed with Argon2id, on threads of their own.
//!
//! Trying one takes tens of milliseconds of a processor and tens of megabytes, on purpose. So few are tried at once, on
//! threads that stand back behind those that serve requests; so many may wait, and whoever comes beyond that is told to come
//! later. How long it takes tells nobody whether there is an account: where there is none, a hash of nothing is tried.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::oneshot;

use crate::config;
use crate::model::{Error, Fault, Kind, Result};
use crate::service::clock;

/// See the module.
pub(super) struct Passwords {
    argon2: Argon2<'static>,
    settings: config::Passwords,
    /// Started when the first password comes.
    jobs: OnceLock<SyncSender<Job>>,
    /// A hash of what nobody knows, as costly as any.
    nobody: OnceLock<String>,
}

type Job = Box<dyn FnOnce() + Send>;

/// What came of trying a password.
pub(super) enum Tried {
    Wrong,
    Right {
        /// The hash as it would be made today, if that is different.
        renewed: Option<String>,
    },
}

/// How far its threads stand back.
const NICE: i32 = 10;

// === impl Passwords ===

impl Passwords {
    pub(super) fn new(settings: config::Passwords) -> Self {
        let kibibytes = u32::try_from(settings.memory >> 10).unwrap_or(u32::MAX);
        // The configuration was checked; what can't be is as costly as it should be.
        let params = Params::new(kibibytes, settings.passes, 1, None).unwrap_or_default();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Self { argon2, settings, jobs: OnceLock::new(), nobody: OnceLock::new() }
    }

    /// The hash of `password`.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.run(move || hash(&argon2, password.as_bytes())).await?
    }

    /// Whether `password` is the one of `known`; where nothing is known it isn't, which takes as long to find.
    pub(super) async fn verify(&self, password: &str, known: Option<&str>) -> Result<Tried> {
        let known = match (known, self.nobody.get()) {
            (Some(known), _) => Some(known.to_owned()),
            (None, nobody) => nobody.cloned(),
        };
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let nobody = known.is_none();
        let (tried, made) = self
            .run(move || match known {
                Some(known) => Ok::<_, Error>((try_one(&argon2, password.as_bytes(), &known)?, None)),
                // The first stranger: making the hash takes as long as trying it.
                None => Ok((Tried::Wrong, Some(hash(&argon2, &clock::random::<32>()?)?))),
            })
            .await??;
        if let (true, Some(made)) = (nobody, made) {
            drop(self.nobody.set(made));
        }
        Ok(tried)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever hung up while waiting costs nothing.
            if !tell.is_closed() {
                drop(tell.send(work()));
            }
        });
        match self.jobs.get_or_init(|| start(&self.settings)).try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                let error = Error::new(Kind::Overloaded, Fault::Us, "too many log in at once; try again in a moment");
                return Err(error.with_retry_after(Some(Duration::from_secs(1))));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Error::internal("no thread tries passwords")),
        }
        told.await.map_err(|_| Error::internal("the thread that tries passwords has failed"))
    }
}

/// Threads that take jobs until nobody can give them any.
fn start(settings: &config::Passwords) -> SyncSender<Job> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if settings.parallel == 0 { (cores / 2).max(1) } else { settings.parallel };
    let (give, take) = sync_channel::<Job>(settings.queue_length);
    let take = Arc::new(Mutex::new(take));
    for _ in 0..threads {
        let take = take.clone();
        let started = std::thread::Builder::new().name("passwords".into()).spawn(move || serve(&take));
        if let Err(error) = started {
            tracing::error!(%error, "a thread for passwords can't be started");
        }
    }
    give
}

fn serve(take: &Mutex<Receiver<Job>>) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "passwords are tried as eagerly as requests are served");
    }
    loop {
        let job = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String> {
    let salt = clock::random::<16>()?;
    let hash = argon2.hash_password_with_salt(password, &salt).map_err(Error::internal)?;
    Ok(hash.to_string())
}

fn try_one(argon2: &Argon2<'_>, password: &[u8], known: &str) -> Result<Tried> {
    let parsed = PasswordHash::new(known).map_err(|error| Error::internal(format!("a password's hash: {error}")))?;
    if argon2.verify_password(password, &parsed).is_err() {
        return Ok(Tried::Wrong);
    }
    let current = Params::try_from(&parsed).is_ok_and(|params| {
        let wanted = argon2.params();
        (params.m_cost(), params.t_cost(), params.p_cost()) == (wanted.m_cost(), wanted.t_cost(), wanted.p_cost())
    });
    let renewed = if current { None } else { Some(hash(argon2, password)?) };
    Ok(Tried::Right { renewed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(passes: u32) -> Passwords {
        let settings = config::Passwords { memory: 1 << 20, passes, parallel: 1, queue_length: 1 };
        Passwords::new(settings)
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_says_how_it_was_made() {
        let passwords = cheap(1);
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=1024,t=1,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap(), "no salt is used twice");
        assert!(matches!(
            passwords.verify("correct horse", Some(&hash)).await.unwrap(),
            Tried::Right { renewed: None }
        ));
        assert!(matches!(passwords.verify("battery staple", Some(&hash)).await.unwrap(), Tried::Wrong));
        for _ in 0..2 {
            assert!(matches!(passwords.verify("correct horse", None).await.unwrap(), Tried::Wrong));
        }
        let Tried::Right { renewed: Some(renewed) } = cheap(2).verify("correct horse", Some(&hash)).await.unwrap()
        else {
            panic!("a cheaper hash is made anew")
        };
        assert!(renewed.contains("t=2"), "{renewed}");
    }

    #[tokio::test]
    async fn who_comes_beyond_the_queue_is_told_to_come_later() {
        let passwords = cheap(1);
        let (begin, begun) = sync_channel::<()>(0);
        let (end, ended) = sync_channel::<()>(0);
        let busy = passwords.run(move || {
            begin.send(()).unwrap();
            ended.recv().unwrap();
        });
        let mut busy = Box::pin(busy);
        assert!(futures_util::poll!(&mut busy).is_pending());
        begun.recv().unwrap();
        let mut waits = Box::pin(passwords.run(|| 7));
        assert!(futures_util::poll!(&mut waits).is_pending());
        let error = passwords.run(|| 8).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (Kind::Overloaded, Some(Duration::from_secs(1))));
        end.send(()).unwrap();
        assert_eq!((busy.await.unwrap(), waits.await.unwrap()), ((), 7));
    }
}
