//! AWS's signature, version 4: the keys stay here, only the signature goes out.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::Full;

use crate::model::{Error, Result};

/// Keys, and what they are used for.
pub(super) struct Keys {
    id: String,
    secret: String,
    /// Of temporary keys.
    token: Option<String>,
    service: String,
    region: String,
}

// === impl Keys ===

impl Keys {
    /// Reads `ID:SECRET`, or `ID:SECRET:TOKEN` of temporary keys.
    pub(super) fn parse(text: &str, service: &str, region: &str) -> std::result::Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(id), Some(secret)) = (parts.next(), parts.next()) else {
            return Err(
                "its key must be written ACCESS_KEY_ID:SECRET_ACCESS_KEY, with :SESSION_TOKEN if there is one".into()
            );
        };
        Ok(Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: parts.next().map(str::to_owned),
            service: service.to_owned(),
            region: region.to_owned(),
        })
    }

    /// What no text may repeat.
    pub(super) fn secrets(&self) -> Vec<String> {
        [&self.secret].into_iter().chain(&self.token).cloned().collect()
    }

    /// Signs `request`, whose body is `body`.
    pub(super) fn sign(&self, request: &mut Request<Full<Bytes>>, body: &Bytes, now: SystemTime) -> Result<()> {
        let credentials = Credentials::new(&self.id, &self.secret, self.token.clone(), None, "mortise");
        let identity = credentials.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(Error::internal)?
            .into();
        if let Some(authority) = request.uri().authority() {
            let host = authority.as_str().parse().map_err(Error::internal)?;
            request.headers_mut().insert(HOST, host);
        }
        let uri = request.uri().to_string();
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::Bytes(body))
            .map_err(Error::internal)?;
        let (instructions, _) = sign(signable, &params).map_err(Error::internal)?.into_parts();
        instructions.apply_to_request_http1x(request);
        for name in ["authorization", "x-amz-security-token"] {
            if let Some(value) = request.headers_mut().get_mut(name) {
                value.set_sensitive(true);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// AWS's own example of a signed request (`get-vanilla` of its test suite).
    #[test]
    fn the_signature_is_aws_s() {
        let keys = Keys::parse("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "service", "us-east-1").unwrap();
        let mut request = Request::get("https://example.amazonaws.com/").body(Full::new(Bytes::new())).unwrap();
        // 2015-08-30T12:36:00Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        keys.sign(&mut request, &Bytes::new(), now).unwrap();
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            request.headers()["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert!(request.headers()["authorization"].is_sensitive());
    }

    #[test]
    fn temporary_keys_have_a_token() {
        let keys = Keys::parse("id:secret:to:ken", "bedrock", "eu-west-1").unwrap();
        assert_eq!(keys.secrets(), ["secret", "to:ken"]);
        let mut request = Request::post("https://a.example/model/x%3A0/converse").body(Full::default()).unwrap();
        keys.sign(&mut request, &Bytes::new(), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(request.headers()["x-amz-security-token"], "to:ken");
        assert!(Keys::parse("only-one-part", "bedrock", "eu-west-1").is_err());
    }
}
