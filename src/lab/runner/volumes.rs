//! What is in a pod's volumes. Pure: tokens are only asked for here.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection};

use super::facts::{Facts, Missing, Reference};

/// A file's rights where nothing else is said.
const DEFAULT_MODE: u32 = 0o644;

/// What is in a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Whatever the pod writes.
    Empty,
    /// Files that follow what they are made of, by their path in the volume.
    Files(BTreeMap<String, File>),
}

/// One file of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its rights.
    pub mode: u32,
    /// What is in it.
    pub source: Source,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A token of the pod's ServiceAccount.
    Token(TokenWish),
}

/// A token of the pod's ServiceAccount, bound to the pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenWish {
    /// Whom it is for; none: the API server.
    pub audience: Option<String>,
    /// How long it is good, in seconds.
    pub seconds: i64,
}

/// What is in a volume of a pod.
pub fn content(facts: &Facts<'_>, container: &Container, volume: &Volume) -> Result<Content, Missing> {
    let mut files = BTreeMap::new();
    if let Some(secret) = &volume.secret {
        let reference = Reference::Secret(secret.secret_name.clone().unwrap_or_default());
        let mode = mode(secret.default_mode);
        keys(
            facts,
            reference,
            secret.items.as_deref(),
            secret.optional,
            mode,
            &mut files,
        )?;
    } else if let Some(map) = &volume.config_map {
        let reference = Reference::ConfigMap(map.name.clone());
        let mode = mode(map.default_mode);
        keys(
            facts,
            reference,
            map.items.as_deref(),
            map.optional,
            mode,
            &mut files,
        )?;
    } else if let Some(downward) = &volume.downward_api {
        let mode = mode(downward.default_mode);
        downward_files(facts, container, downward.items.as_deref(), mode, &mut files)?;
    } else if let Some(projected) = &volume.projected {
        let mode = mode(projected.default_mode);
        for source in projected.sources.iter().flatten() {
            projection(facts, container, source, mode, &mut files)?;
        }
    } else {
        // An emptyDir; and what the lab has not: claims and the host's own paths start empty too.
        return Ok(Content::Empty);
    }
    Ok(Content::Files(files))
}

fn projection(
    facts: &Facts<'_>,
    container: &Container,
    source: &VolumeProjection,
    mode: u32,
    files: &mut BTreeMap<String, File>,
) -> Result<(), Missing> {
    if let Some(secret) = &source.secret {
        let reference = Reference::Secret(secret.name.clone());
        keys(
            facts,
            reference,
            secret.items.as_deref(),
            secret.optional,
            mode,
            files,
        )?;
    }
    if let Some(map) = &source.config_map {
        let reference = Reference::ConfigMap(map.name.clone());
        keys(facts, reference, map.items.as_deref(), map.optional, mode, files)?;
    }
    if let Some(downward) = &source.downward_api {
        downward_files(facts, container, downward.items.as_deref(), mode, files)?;
    }
    if let Some(token) = &source.service_account_token {
        let wish = TokenWish {
            audience: token.audience.clone().filter(|audience| !audience.is_empty()),
            // The API server refuses less than ten minutes.
            seconds: token.expiration_seconds.unwrap_or(3600).max(600),
        };
        insert(files, &token.path, mode & 0o600, Source::Token(wish));
    }
    Ok(())
}

/// The keys of a Secret or a ConfigMap: all of them, or those that are asked for.
fn keys(
    facts: &Facts<'_>,
    reference: Reference,
    items: Option<&[KeyToPath]>,
    optional: Option<bool>,
    mode: u32,
    files: &mut BTreeMap<String, File>,
) -> Result<(), Missing> {
    let optional = optional == Some(true);
    let Some(found) = facts.snapshot.get(&reference) else {
        return if optional {
            Ok(())
        } else {
            Err(Missing::Object(reference))
        };
    };
    match items {
        Some(items) if !items.is_empty() => {
            for item in items {
                match found.get(&item.key) {
                    Some(bytes) => {
                        let mode = item.mode.map_or(mode, rights);
                        insert(files, &item.path, mode, Source::Bytes(bytes.clone()));
                    }
                    None if optional => {}
                    None => return Err(Missing::Key(reference, item.key.clone())),
                }
            }
        }
        _ => {
            for (key, bytes) in found {
                insert(files, key, mode, Source::Bytes(bytes.clone()));
            }
        }
    }
    Ok(())
}

fn downward_files(
    facts: &Facts<'_>,
    container: &Container,
    items: Option<&[DownwardAPIVolumeFile]>,
    mode: u32,
    files: &mut BTreeMap<String, File>,
) -> Result<(), Missing> {
    for item in items.into_iter().flatten() {
        let text = if let Some(selector) = &item.field_ref {
            facts.field(selector)?
        } else if let Some(selector) = &item.resource_field_ref {
            facts.resource(container, selector)?
        } else {
            return Err(Missing::Field(item.path.clone()));
        };
        let mode = item.mode.map_or(mode, rights);
        insert(files, &item.path, mode, Source::Bytes(text.into_bytes()));
    }
    Ok(())
}

/// Adds a file, unless its path would lead out of the volume; the API server refuses such paths.
fn insert(files: &mut BTreeMap<String, File>, path: &str, mode: u32, source: Source) {
    let inside = !path.is_empty()
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && !part.starts_with(".."));
    if inside {
        files.insert(path.to_owned(), File { mode, source });
    }
}

fn mode(default: Option<i32>) -> u32 {
    default.map_or(DEFAULT_MODE, rights)
}

fn rights(mode: i32) -> u32 {
    u32::try_from(mode).unwrap_or(DEFAULT_MODE) & 0o777
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;

    use super::super::facts::Snapshot;
    use super::super::facts::tests::{facts, pod, snapshot};
    use super::*;

    fn of(pod: &Pod, snapshot: &Snapshot, name: &str) -> Result<Content, Missing> {
        let spec = pod.spec.as_ref().unwrap();
        let volume = spec
            .volumes
            .iter()
            .flatten()
            .find(|volume| volume.name == name)
            .unwrap();
        content(&facts(pod, snapshot), &spec.containers[0], volume)
    }

    #[test]
    fn volumes_hold_what_was_read() {
        let (pod, snapshot) = (pod(), snapshot());
        assert_eq!(of(&pod, &snapshot, "local-certs"), Ok(Content::Empty));
        assert_eq!(
            of(&pod, &snapshot, "cacerts"),
            Ok(Content::Files(BTreeMap::new()))
        );
        let certs = File {
            mode: 0o400,
            source: Source::Bytes(b"PEM".to_vec()),
        };
        assert_eq!(
            of(&pod, &snapshot, "certs"),
            Ok(Content::Files([("sub/cert.pem".to_owned(), certs)].into()))
        );
        let Content::Files(token) = of(&pod, &snapshot, "token").unwrap() else {
            panic!("a projected volume has files");
        };
        assert_eq!(
            token["istio-token"],
            File {
                mode: 0o600,
                source: Source::Token(TokenWish {
                    audience: Some("istio-ca".into()),
                    seconds: 43200
                })
            }
        );
        assert_eq!(token["level"].source, Source::Bytes(b"info".to_vec()));
        assert_eq!(token.len(), 3, "the map's other key was not asked for");
    }

    #[test]
    fn only_what_is_optional_may_be_missing() {
        let pod = pod();
        let mut snapshot = snapshot();
        snapshot.insert(Reference::Secret("certs".into()), BTreeMap::new());
        assert_eq!(
            of(&pod, &snapshot, "certs").unwrap_err().to_string(),
            "secret \"certs\" has no key \"tls.crt\""
        );
        snapshot.remove(&Reference::Secret("certs".into()));
        assert_eq!(
            of(&pod, &snapshot, "certs").unwrap_err().to_string(),
            "secret \"certs\" not found"
        );
    }

    #[test]
    fn no_file_leads_out_of_its_volume() {
        let mut files = BTreeMap::new();
        for path in ["../x", "a/../b", "/etc/x", "", "a//b", "..data"] {
            insert(&mut files, path, 0o644, Source::Bytes(Vec::new()));
        }
        assert!(files.is_empty(), "{files:?}");
    }
}
