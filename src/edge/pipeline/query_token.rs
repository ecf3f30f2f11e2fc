//! `?token=`: a browser can put no header on a WebSocket's request, so where an endpoint allows it, its token stands there.

use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use url::form_urlencoded;

const NAME: &str = "token";

/// Moves the token from the query to the header that it stands in place of: from here on nobody can tell it to a log. A header
/// that is there counts.
pub(super) fn show(parts: &mut Parts) {
    let Some(query) = parts.uri.query() else { return };
    let mut token = None;
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == NAME {
            token = Some(value.into_owned());
        } else {
            rest.append_pair(&name, &value);
        }
    }
    let Some(token) = token else { return };
    let (path, rest) = (parts.uri.path(), rest.finish());
    let left = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = PathAndQuery::try_from(left).ok();
    parts.uri = http::Uri::from_parts(uri).unwrap_or_default();
    if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}"))
        && !parts.headers.contains_key(AUTHORIZATION)
    {
        value.set_sensitive(true);
        parts.headers.insert(AUTHORIZATION, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(uri: &str, header: Option<&str>) -> (String, Option<String>) {
        let mut request = http::Request::builder().uri(uri);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        show(&mut parts);
        let header = parts.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        (parts.uri.to_string(), header)
    }

    #[test]
    fn the_token_leaves_the_query_and_becomes_a_header() {
        let bearer = Some("Bearer abc".to_owned());
        assert_eq!(shown("/ws?token=abc", None), ("/ws".into(), bearer.clone()));
        assert_eq!(shown("/ws?from=3&token=abc&x=%20", None), ("/ws?from=3&x=+".into(), bearer.clone()));
        assert_eq!(shown("/ws?token=x&token=abc", None), ("/ws".into(), bearer.clone()));
        assert_eq!(shown("http://h:1/ws?t%6fken=a%62c", None), ("http://h:1/ws".into(), bearer.clone()));
        assert_eq!(shown("/ws?token=other", Some("Bearer abc")), ("/ws".into(), bearer));
    }

    #[test]
    fn what_is_no_token_stays_as_it_is() {
        assert_eq!(shown("/ws?a=%62&b", None), ("/ws?a=%62&b".into(), None));
        assert_eq!(shown("/ws?token=a%0Ab", None), ("/ws".into(), None));
    }
}
