//! Which proxy a connection takes: the kubeconfig's `proxy-url`, else what the environment says, by
//! the rules of Go's `golang.org/x/net/http/httpproxy`, which kubectl follows.

use std::net::IpAddr;

use http::Uri;

/// What the environment says of proxies, as data.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    pub https_proxy: String,
    pub http_proxy: String,
    pub no_proxy: String,
}

impl Environment {
    pub(super) fn of_process() -> Self {
        let variable = |upper: &str, lower: &str| {
            [upper, lower]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
                .unwrap_or_default()
        };
        Self {
            https_proxy: variable("HTTPS_PROXY", "https_proxy"),
            http_proxy: variable("HTTP_PROXY", "http_proxy"),
            no_proxy: variable("NO_PROXY", "no_proxy"),
        }
    }

    /// The proxy that the environment names for a server, where there is one. One that is no URL
    /// is none, as in Go.
    pub(super) fn proxy_for(&self, server: &Uri) -> Option<Uri> {
        let proxy = match server.scheme_str() {
            Some("https") => &self.https_proxy,
            _ => &self.http_proxy,
        };
        if proxy.is_empty() || !self.uses_proxy(server) {
            return None;
        }
        of_schemes(proxy, &["http", "https", "socks5", "socks5h"])
            .or_else(|| parse(&format!("http://{proxy}")))
    }

    fn uses_proxy(&self, server: &Uri) -> bool {
        let host = server
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        // Go never takes a proxy to this machine itself.
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return false;
        }
        let port = server.port_u16().unwrap_or(match server.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        !self
            .no_proxy
            .split(',')
            .map(|entry| entry.trim().to_lowercase())
            .filter(|entry| !entry.is_empty())
            .any(|entry| excludes(&entry, &host, address, port))
    }
}

/// A proxy's URL as a kubeconfig may name it: of three schemes (client-go `clientcmd.parseProxyURL`).
pub(super) fn parse(proxy: &str) -> Option<Uri> {
    of_schemes(proxy, &["http", "https", "socks5"])
}

fn of_schemes(proxy: &str, schemes: &[&str]) -> Option<Uri> {
    let uri: Uri = proxy.parse().ok()?;
    let known = uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme));
    (known && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// Whether an entry of `NO_PROXY` names the server: `*`, an address, a range, a domain (itself and
/// what is below it), or a domain with a leading dot (only what is below it); with or without a port.
fn excludes(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/')
        && let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>())
    {
        return address.is_some_and(|address| within(address, network, bits));
    }
    let (name, wanted_port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse::<u16>().ok()),
        _ => (entry, None),
    };
    if wanted_port.is_some_and(|wanted| wanted != port) {
        return false;
    }
    let name = name.trim_matches(['[', ']']);
    if let Ok(excluded) = name.parse::<IpAddr>() {
        return address == Some(excluded);
    }
    let name = name.strip_prefix('*').unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            (u32::from(address) ^ u32::from(network))
                .checked_shr(32 - bits)
                .unwrap_or(0)
                == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            (u128::from(address) ^ u128::from(network))
                .checked_shr(128 - bits)
                .unwrap_or(0)
                == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(no_proxy: &str) -> Environment {
        Environment {
            https_proxy: "proxy.example:3128".to_owned(),
            http_proxy: String::new(),
            no_proxy: no_proxy.to_owned(),
        }
    }

    #[test]
    fn the_environment_decides_as_in_go() {
        let proxied = |no_proxy: &str, server: &str| {
            environment(no_proxy)
                .proxy_for(&server.parse().unwrap())
                .is_some()
        };
        assert!(proxied("", "https://api.example:6443"));
        assert!(!proxied("", "https://127.0.0.1:6443"));
        assert!(!proxied("", "https://[::1]:6443"));
        assert!(!proxied("", "https://localhost:6443"));
        assert!(!proxied("", "http://api.example"));
        assert!(!proxied("*", "https://api.example"));
        assert!(!proxied("example", "https://api.example"));
        assert!(!proxied("api.example", "https://api.example"));
        assert!(proxied(".api.example", "https://api.example"));
        assert!(proxied("pi.example", "https://api.example"));
        assert!(!proxied("a, 10.0.0.0/8", "https://10.2.3.4:6443"));
        assert!(proxied("10.0.0.0/16", "https://10.2.3.4:6443"));
        assert!(!proxied("0.0.0.0/0", "https://10.2.3.4:6443"));
        assert!(!proxied("fd00::/8", "https://[fd00::1]:6443"));
        assert!(!proxied("10.2.3.4:6443", "https://10.2.3.4:6443"));
        assert!(proxied("10.2.3.4:443", "https://10.2.3.4:6443"));
    }

    #[test]
    fn the_environment_may_say_that_the_proxy_resolves_names() {
        let proxy = "socks5h://proxy.example:1080";
        let environment = Environment {
            https_proxy: proxy.to_owned(),
            ..Environment::default()
        };
        let found = environment.proxy_for(&"https://api.example:6443".parse().unwrap());
        assert_eq!(found.unwrap().scheme_str(), Some("socks5h"));
        assert!(parse(proxy).is_none(), "kubectl refuses it in a kubeconfig");
    }
}
