//! `plugin.toml`, the source of the manifest.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cargo::Package;
use crate::error::BuildError;
use crate::manifest::{Asks, Kind, Manifest};

/// The file beside a plugin's Cargo.toml.
pub(crate) const FILE: &str = "plugin.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    id: String,
    kind: Kind,
    version: Option<String>,
    description: Option<String>,
    #[serde(default)]
    asks: Asks,
    settings: Option<Map<String, Value>>,
}

/// The manifest of the plugin in `dir`; what `plugin.toml` leaves out comes from the package.
pub(crate) fn read(dir: &Path, package: &Package) -> Result<Manifest, BuildError> {
    let path = dir.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|source| BuildError::File { path: path.clone(), source })?;
    parse(&text, package).map_err(|message| BuildError::Source { path, message })
}

fn parse(text: &str, package: &Package) -> Result<Manifest, String> {
    let source: Source = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let version = source.version.unwrap_or_else(|| package.version.clone());
    let mut manifest = Manifest::new(source.id, version, source.kind);
    manifest.description = source.description.or_else(|| package.description.clone()).unwrap_or_default();
    manifest.asks = source.asks;
    manifest.settings = source.settings;
    manifest.check().map_err(|error| error.to_string())?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::cargo::Package;
    use crate::manifest::Kind;

    fn package() -> Package {
        Package {
            name: "p".into(),
            version: "1.2.3".into(),
            description: Some("from cargo".into()),
            ..Package::default()
        }
    }

    #[test]
    fn the_package_fills_in_what_is_left_out() {
        let manifest = parse("id = 'openai'\nkind = 'provider'", &package()).unwrap();
        assert_eq!((manifest.version.as_str(), manifest.description.as_str()), ("1.2.3", "from cargo"));
        assert_eq!(manifest.kind, Kind::Provider);
        let manifest = parse("id = 'a'\nkind = 'tool'\nversion = '9.0.0'\ndescription = 'own'", &package()).unwrap();
        assert_eq!((manifest.version.as_str(), manifest.description.as_str()), ("9.0.0", "own"));
    }

    #[test]
    fn the_settings_schema_keeps_its_order() {
        let text = "id='a'\nkind='tool'\n[settings]\ntype='object'\n[settings.properties.zeta]\ntype='string'\n[settings.properties.alpha]\ntype='integer'";
        let settings = parse(text, &package()).unwrap().settings.unwrap();
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(json, r#"{"type":"object","properties":{"zeta":{"type":"string"},"alpha":{"type":"integer"}}}"#);
    }

    #[test]
    fn an_unknown_key_is_named() {
        for text in ["id='a'\nkind='tool'\nhosst=1", "id='a'\nkind='tool'\n[asks]\nhosst=[]"] {
            assert!(parse(text, &package()).unwrap_err().contains("unknown field `hosst`"));
        }
        assert!(parse("kind='tool'", &package()).unwrap_err().contains("missing field `id`"));
        assert!(parse("id='a'\nkind='toool'", &package()).unwrap_err().contains("unknown variant `toool`"));
        assert!(parse("id='A'\nkind='tool'", &package()).unwrap_err().contains("id \"A\" must be"));
    }
}
