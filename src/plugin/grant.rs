//! What a plugin may do: what its manifest asks for and the operator allows. Nothing else, by default.

use url::Url;

use super::manifest::{Manifest, PluginKind};
use crate::config;
use crate::model::plugin::{Origin, Rights, Workspace};

/// The effective rights of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// What it asked for.
    pub asked: Rights,
    /// What of that is allowed.
    pub granted: Rights,
}

/// Programs that run whatever they are told: who allows one allows all that it finds.
const SHELLS: [&str; 14] =
    ["sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "ash", "busybox", "toybox", "env", "xargs"];

/// What `manifest` asks for and `grant` allows. A bundled provider is vouched for and has what it asks for; a bundled tool has
/// the session's files and its memory, and nothing that reaches further.
pub fn effective(manifest: &Manifest, origin: Origin, grant: Option<&config::Grant>) -> Grants {
    let asked = rights(&manifest.asks);
    let none = config::Grant::default();
    let grant = grant.unwrap_or(&none);
    if manifest.kind == PluginKind::Provider {
        let allowed =
            |host: &&String| origin == Origin::Bundled || grant.hosts.iter().any(|allowed| same_origin(allowed, host));
        let hosts = asked.hosts.iter().filter(allowed).cloned().collect();
        return Grants { asked, granted: Rights { hosts, ..Rights::default() } };
    }
    let bundled = origin == Origin::Bundled;
    let workspace = match grant.workspace {
        Some(allowed) => allowed.right(),
        None => asked.workspace.filter(|_| bundled),
    };
    let granted = Rights {
        // Which of them a request may reach, both lists decide together.
        hosts: if asked.hosts.is_empty() { Vec::new() } else { grant.hosts.clone() },
        workspace: asked.workspace.zip(workspace).map(|(asked, allowed)| asked.min(allowed)),
        programs: both(&asked.programs, &grant.programs),
        kv: asked.kv && grant.kv.unwrap_or(bundled),
        secrets: grant.secrets.keys().filter(|name| named(&asked.secrets, name)).cloned().collect(),
    };
    Grants { asked, granted }
}

fn rights(asks: &mortise_build::Asks) -> Rights {
    Rights {
        hosts: asks.hosts.clone(),
        workspace: asks.workspace.map(|workspace| match workspace {
            mortise_build::Workspace::ReadOnly => Workspace::ReadOnly,
            mortise_build::Workspace::ReadWrite => Workspace::ReadWrite,
        }),
        programs: asks.programs.clone(),
        kv: asks.kv,
        secrets: asks.secrets.clone(),
    }
}

/// What stands in both lists, `*` being all.
fn both(asked: &[String], allowed: &[String]) -> Vec<String> {
    if named(asked, "*") {
        return allowed.to_vec();
    }
    asked.iter().filter(|name| allows_program(allowed, name)).cloned().collect()
}

fn named(list: &[String], name: &str) -> bool {
    list.iter().any(|known| known == "*" || known == name)
}

/// Whether `allowed` lets `program` be started: `*` stands for all but shells.
pub fn allows_program(allowed: &[String], program: &str) -> bool {
    allowed.iter().any(|name| name == program || name == "*" && !SHELLS.contains(&program))
}

impl Grants {
    /// Whether requests to `url` are allowed to a provider.
    pub fn allow(&self, url: &str) -> bool {
        self.granted.hosts.iter().any(|host| same_origin(host, url))
    }
}

/// Whether `url` has the origin of `pattern`, whose host may hold `*` in place of one label.
fn same_origin(pattern: &str, url: &str) -> bool {
    let (Ok(pattern), Ok(url)) = (Url::parse(pattern), Url::parse(url)) else { return false };
    if !pattern.origin().is_tuple() || pattern.scheme() != url.scheme() {
        return false;
    }
    let hosts = match (pattern.host_str(), url.host_str()) {
        (Some(pattern), Some(host)) => same_host(pattern, host),
        _ => false,
    };
    hosts && pattern.port_or_known_default() == url.port_or_known_default()
}

fn same_host(pattern: &str, host: &str) -> bool {
    let (mut labels, mut own) = (pattern.split('.'), host.split('.'));
    loop {
        match (labels.next(), own.next()) {
            (None, None) => return true,
            (Some("*"), Some(label)) if !label.is_empty() => {}
            (Some(wanted), Some(label)) if wanted == label => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(same_origin("https://api.example.com", "https://api.example.com:443/v1"));
        assert!(!same_origin("https://api.example.com", "http://api.example.com/v1"));
        assert!(!same_origin("https://api.example.com", "https://api.example.com.evil.test/"));
        assert!(!same_origin("https://api.example.com", "https://api.example.com@evil.test/"));
        assert!(!same_origin("*", "*"));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let pattern = "https://*.example.com";
        assert!(same_origin(pattern, "https://eu.example.com/v1"));
        assert!(same_origin(pattern, pattern));
        for other in [
            "https://example.com",
            "https://a.b.example.com",
            "https://eu.example.com.evil.test",
            "https://.example.com",
        ] {
            assert!(!same_origin(pattern, other), "{other}");
        }
        assert!(same_origin("https://runtime.*.example.com", "https://runtime.eu-1.example.com"));
        assert!(!same_origin("https://runtime.*.example.com", "https://runtime.eu-1.evil.example.com"));
    }

    fn tool(asks: mortise_build::Asks) -> Manifest {
        let mut manifest = Manifest::new("t", "1.0.0", PluginKind::Tool);
        manifest.asks = asks;
        manifest
    }

    fn grant(yaml: &str) -> config::Grant {
        let config = config::Config::from_yaml(&format!("plugins: {{grants: {{t: {yaml}}}}}")).unwrap();
        config.plugins.grants["t"].clone()
    }

    #[test]
    fn a_bundled_tool_has_its_files_and_nothing_that_reaches_further() {
        let manifest = tool(mortise_build::Asks {
            hosts: vec!["https://*".into()],
            workspace: Some(mortise_build::Workspace::ReadWrite),
            programs: vec!["*".into()],
            kv: true,
            secrets: vec!["*".into()],
        });
        let rights = effective(&manifest, Origin::Bundled, None).granted;
        assert_eq!(
            rights,
            Rights { workspace: Some(Workspace::ReadWrite), kv: true, ..Rights::default() },
            "by default"
        );
        assert_eq!(effective(&manifest, Origin::Directory, None).granted, Rights::default());
        let more = grant("{programs: [git, sh], workspace: read-only, kv: false, hosts: [https://a.example]}");
        let rights = effective(&manifest, Origin::Bundled, Some(&more)).granted;
        assert_eq!((rights.workspace, rights.kv), (Some(Workspace::ReadOnly), false));
        assert_eq!(
            (rights.programs, rights.hosts),
            (vec!["git".into(), "sh".into()], vec!["https://a.example".into()])
        );
    }

    #[test]
    fn nobody_has_what_was_not_asked_for() {
        let all = grant(
            "{programs: ['*'], workspace: read-write, kv: true, hosts: ['https://*'], secrets: {k: {host: 'https://a', value: env:K}}}",
        );
        assert_eq!(
            effective(&tool(mortise_build::Asks::default()), Origin::Directory, Some(&all)).granted,
            Rights::default()
        );
        let asks = mortise_build::Asks { programs: vec!["git".into(), "sh".into()], ..mortise_build::Asks::default() };
        let rights = effective(&tool(asks), Origin::Directory, Some(&all)).granted;
        assert_eq!(rights.programs, ["git"], "a shell is granted by name only");
    }
}
