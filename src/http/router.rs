//! Finds the endpoint of a request.

use http::Method;
use percent_encoding::percent_decode_str;

use super::endpoint::{Endpoint, Surface};

/// Endpoints by path and method.
pub struct Router<S> {
    paths: matchit::Router<Vec<Endpoint<S>>>,
    surfaces: Vec<&'static Surface>,
    fallback: &'static Surface,
}

/// What a request asks for.
pub enum Route<'r, S> {
    /// An endpoint, and what its template left open.
    Found(&'r Endpoint<S>, Vec<(String, String)>),
    /// A path that has other methods.
    WrongMethod {
        /// The value of `Allow`.
        allow: String,
        /// Whose path it is.
        surface: &'static Surface,
    },
    /// No path that is known.
    Unknown {
        /// Whose path it would be.
        surface: &'static Surface,
    },
}

// === impl Route ===

impl<S> Route<'_, S> {
    /// Whose path it is, or would be.
    pub fn surface(&self) -> &'static Surface {
        match self {
            Self::Found(endpoint, _) => endpoint.surface,
            Self::WrongMethod { surface, .. } | Self::Unknown { surface } => surface,
        }
    }
}

// === impl Router ===

impl<S> Router<S> {
    /// A router of `endpoints`; paths below no surface's prefix are answered by `fallback`.
    ///
    /// # Errors
    /// If two templates contradict each other.
    pub fn new(endpoints: Vec<Endpoint<S>>, fallback: &'static Surface) -> Result<Self, matchit::InsertError> {
        let mut by_path: Vec<(&'static str, Vec<Endpoint<S>>)> = Vec::new();
        let mut surfaces: Vec<&'static Surface> = Vec::new();
        for endpoint in endpoints {
            if !surfaces.iter().any(|known| std::ptr::eq(*known, endpoint.surface)) {
                surfaces.push(endpoint.surface);
            }
            match by_path.iter_mut().find(|(path, _)| *path == endpoint.path) {
                Some((_, methods)) => methods.push(endpoint),
                None => by_path.push((endpoint.path, vec![endpoint])),
            }
        }
        let mut paths = matchit::Router::new();
        for (path, methods) in by_path {
            paths.insert(path, methods)?;
        }
        Ok(Self { paths, surfaces, fallback })
    }

    /// The endpoint of `method` at `path`.
    pub fn route(&self, method: &Method, path: &str) -> Route<'_, S> {
        let Ok(found) = self.paths.at(path) else { return Route::Unknown { surface: self.surface_of(path) } };
        // What answers GET answers HEAD, without the body.
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let endpoint = found.value.iter().find(|endpoint| endpoint.method == *wanted);
        match (endpoint, found.value.first()) {
            (Some(endpoint), _) => {
                let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
                let parameters = found.params.iter().map(|(name, value)| (name.to_owned(), decoded(value))).collect();
                Route::Found(endpoint, parameters)
            }
            (None, Some(other)) => Route::WrongMethod { allow: allow(found.value), surface: other.surface },
            (None, None) => Route::Unknown { surface: self.surface_of(path) },
        }
    }

    fn surface_of(&self, path: &str) -> &'static Surface {
        let owns = |surface: &&&'static Surface| surface.prefixes.iter().any(|prefix| path.starts_with(prefix));
        let longest = |surface: &&&'static Surface| {
            surface.prefixes.iter().filter(|prefix| path.starts_with(**prefix)).map(|prefix| prefix.len()).max()
        };
        self.surfaces.iter().filter(owns).max_by_key(longest).copied().unwrap_or(self.fallback)
    }
}

fn allow<S>(methods: &[Endpoint<S>]) -> String {
    let mut names: Vec<&str> = methods.iter().map(|endpoint| endpoint.method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}
