//! Tests of what is loaded, and when.

use super::*;

async fn loader(directory: &Path) -> Loader {
    let config = config::Plugins {
        directory: directory.to_owned(),
        cache: directory.join("cache"),
        instances: 4,
        ..config::Plugins::default()
    };
    Loader::load(Sandbox::new(&config).unwrap(), config, &[]).await.unwrap()
}

/// Version, name of the file and error of the entry `id`.
fn told(loader: &Loader, id: &str) -> Option<(Option<String>, String, bool)> {
    let snapshot = loader.catalog.snapshot();
    let entry = snapshot.entries.get(id)?;
    let version = entry.published.as_ref().map(|published| published.manifest.version.clone());
    let name = entry.file.as_deref().and_then(|file| Path::new(file).file_name()).unwrap_or_default();
    Some((version, name.to_string_lossy().into_owned(), entry.last_error.is_some()))
}

#[tokio::test]
async fn a_refused_file_takes_nobody_elses_plugin_with_it() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    std::fs::write(file("mine.wasm"), test_guests::get("well")).unwrap();
    std::fs::write(file("well.wasm"), b"garbage").unwrap();
    let mut loader = loader(home.path()).await;
    let version = || Some("1.0.0".to_owned());
    assert_eq!(told(&loader, "well"), Some((version(), "well.wasm".into(), true)));
    std::fs::remove_file(file("well.wasm")).unwrap();
    loader.scan().await;
    assert_eq!(told(&loader, "well"), Some((version(), "mine.wasm".into(), false)));
    // The other way round: a second file with the id waits under its own name until the first is gone.
    std::fs::write(file("second.wasm"), test_guests::get("well-next")).unwrap();
    loader.scan().await;
    assert_eq!(told(&loader, "second"), Some((None, "second.wasm".into(), true)));
    std::fs::remove_file(file("mine.wasm")).unwrap();
    loader.scan().await;
    assert_eq!(told(&loader, "well"), Some((Some("2.0.0".into()), "second.wasm".into(), false)));
    assert_eq!(told(&loader, "second"), None);
    std::fs::remove_file(file("second.wasm")).unwrap();
    loader.scan().await;
    assert_eq!(told(&loader, "well"), None);
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_new_files_only() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("well.wasm");
    std::fs::write(&path, test_guests::get("well")).unwrap();
    let waited = async || {
        let began = Instant::now();
        assert!(told(&loader(home.path()).await, "well").is_some());
        began.elapsed()
    };
    assert!(waited().await >= SETTLED);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(waited().await, Duration::ZERO);
}

#[tokio::test]
async fn a_file_that_is_being_written_holds_nobody_up() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("upload.wasm");
    std::fs::write(home.path().join("well.wasm"), test_guests::get("well")).unwrap();
    std::fs::write(&path, b"").unwrap();
    let uploading = tokio::spawn(async move {
        for length in 1.. {
            std::fs::write(&path, vec![0; length]).unwrap();
            tokio::time::sleep(SETTLED / 10).await;
        }
    });
    let mut loader = loader(home.path()).await;
    assert!(told(&loader, "well").is_some() && loader.pending);
    assert_eq!(told(&loader, "upload"), None);
    uploading.abort();
    let _ = uploading.await;
    loader.scan().await;
    assert!(told(&loader, "upload").is_some() && !loader.pending);
}
