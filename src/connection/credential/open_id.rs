//! The token of an auth-provider `oidc` (client-go `plugin/pkg/client/auth/oidc/oidc.go`). It is
//! shown while it lasts and never refreshed: kubectl writes the new refresh token into the
//! kubeconfig, which is not ours to write, and a refresh that is not written down takes away the
//! one that stands there.

use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use serde::Deserialize;

/// How much earlier than it says a token is taken as expired, as by kubectl.
const LEEWAY: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

/// Whether a token has expired (RFC 7519 `exp`); none where it is no token that says so.
pub(super) fn has_expired(token: &str, now: Timestamp) -> Option<bool> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let expires = Timestamp::from_second(claims.exp).ok()?;
    Some(now.checked_add(LEEWAY).ok()? >= expires)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_ten_seconds_before_it_ends() {
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":1000}"#);
        let token = format!("e30.{claims}.c2ln");
        let at = |second| Timestamp::from_second(second).expect("it is a time");
        assert_eq!(has_expired(&token, at(989)), Some(false));
        assert_eq!(has_expired(&token, at(990)), Some(true));
        for bad in ["", "a.b", "e30.!.c2ln", "e30.e30.c2ln"] {
            assert_eq!(has_expired(bad, at(0)), None, "{bad:?}");
        }
    }
}
