//! Who served a request, and what that took: for who wants to know, beside the answer itself.

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Served {
    /// The provider that answered.
    pub provider: String,
    /// The provider's name for the model.
    pub model: String,
    /// How many attempts it took, at all providers together.
    pub attempts: u32,
    /// US dollars, where they are known; nothing while the answer goes on.
    pub cost: Option<f64>,
    /// Whether the vendor didn't count, or not to the end.
    pub estimated: bool,
    /// Whether the answer was found in the cache; nothing where nobody looked for it there.
    pub cached: Option<bool>,
}
