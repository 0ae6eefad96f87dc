//! Whether clusters are linked, whoever linked them.

use serde_json::Value;

use crate::api::Api;
use crate::clusters::{Cluster, with_each};
use crate::trouble::{Doing as _, Outcome};

/// Looks at every remote secret of every cluster, and tries each credential in them at the address
/// and under the authority that stand beside it. Gives what is missing, none where nothing is.
pub fn missing_links(clusters: &[Cluster]) -> Outcome<Option<String>> {
    let complaints = with_each(clusters, |reader| {
        let secrets = reader
            .api()?
            .list("/api/v1/namespaces/istio-system/secrets?labelSelector=istio%2FmultiCluster%3Dtrue")?;
        let mut found = Vec::new();
        for secret in &secrets {
            for (id, data) in secret["data"].as_object().into_iter().flatten() {
                let read = clusters.iter().find(|cluster| cluster.context == *id);
                let Some(read) = read.filter(|read| read.context != reader.context) else {
                    return Ok(Some(format!("{} holds {id}, which is no peer", reader.context)));
                };
                match try_credential(data, read) {
                    Ok(200) => found.push(id.clone()),
                    Ok(code) => {
                        let said =
                            format!("the credential for {id} in {} is answered {code}", reader.context);
                        return Ok(Some(said));
                    }
                    Err(trouble) => {
                        let said = format!("the credential for {id} in {}: {trouble}", reader.context);
                        return Ok(Some(said));
                    }
                }
            }
        }
        found.sort();
        found.dedup();
        let wanted = clusters.len() - 1;
        if found.len() == wanted && secrets.len() == wanted {
            return Ok(None);
        }
        Ok(Some(format!(
            "{} has {} remote secrets for {} peers, and {wanted} are wanted of both",
            reader.context,
            secrets.len(),
            found.len()
        )))
    })?;
    Ok(complaints.into_iter().flatten().next())
}

/// The status code of a read that takes the reader's permissions.
fn try_credential(data: &Value, read: &Cluster) -> Outcome<u16> {
    let kubeconfig: Value = stolos::yaml::from_str(&decode(data)?).doing("read its kubeconfig")?;
    let text = |pointer: &str| {
        let value = kubeconfig.pointer(pointer).and_then(Value::as_str);
        value.doing(format!("find {pointer} in its kubeconfig"))
    };
    let server = text("/clusters/0/cluster/server")?;
    if server != read.server {
        return None.doing(format!("find the address {} in it", read.server));
    }
    let authority = Value::from(text("/clusters/0/cluster/certificate-authority-data")?);
    let token = text("/users/0/user/token")?;
    Api::with_token(server, &decode(&authority)?, token)?.status("/api/v1/namespaces?limit=1")
}

fn decode(data: &Value) -> Outcome<String> {
    use base64::Engine as _;
    let text = data.as_str().doing("find base64")?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .doing("read base64")?;
    String::from_utf8(bytes).doing("read text")
}
