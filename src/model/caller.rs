//! Who asks.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::account::{Bound, Member, Right};
use super::trace::TraceContext;

/// A caller, as far as the server knows one.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Names the caller wherever callers are kept apart: a user's id, the fingerprint of a key, or the address of who shows none.
    pub principal: Arc<str>,
    /// How the caller is known.
    pub identity: Identity,
    /// From where.
    pub address: IpAddr,
    /// The part of the API that is asked.
    pub surface: &'static str,
    /// The trace that the work for this request belongs to; absent where nothing is traced.
    pub trace: Option<TraceContext>,
}

/// How a caller is known.
#[derive(Clone, Debug)]
pub enum Identity {
    /// By nothing but an address.
    Anonymous,
    /// By a key that the operator set.
    Key,
    /// By an account, or a key that is kept.
    User(Arc<Member>),
}

/// The owner of what nobody in particular made.
pub const ANONYMOUS: &str = "anonymous";

// === impl Caller ===

impl Caller {
    /// Who shows no key.
    pub fn anonymous(address: IpAddr, surface: &'static str) -> Self {
        Self { principal: address.to_string().into(), identity: Identity::Anonymous, address, surface, trace: None }
    }

    /// Whose what this caller makes is: all who show no key share theirs, wherever they are.
    pub fn owner(&self) -> &str {
        match &self.identity {
            Identity::Anonymous => ANONYMOUS,
            Identity::Key => &self.principal,
            Identity::User(member) => &member.id,
        }
    }

    /// Whether it is an administrator, who may see what others own.
    pub fn is_admin(&self) -> bool {
        self.member().is_some_and(|member| member.may(Right::Admin))
    }

    /// Whether its account and its key may ask `model` of `provider`, by the name of the route that leads there.
    pub fn may_ask(&self, route: Option<&str>, provider: &str, model: &str) -> bool {
        let allows = |bound: &Bound| bound.limits.allow(route, provider, model);
        self.member().is_none_or(|member| member.bounds.iter().all(allows))
    }

    /// The class of rates that it is held to, and who is counted: the key's where it has one, else the account's.
    pub fn rate_class(&self) -> Option<(&str, &str)> {
        let bounds = &self.member()?.bounds;
        bounds.iter().rev().find_map(|bound| Some((bound.limits.rate_class.as_deref()?, bound.subject.as_str())))
    }

    /// The account that asks, if it is one.
    pub fn member(&self) -> Option<&Member> {
        match &self.identity {
            Identity::User(member) => Some(member),
            _ => None,
        }
    }

    /// Who shows the key of this fingerprint.
    pub fn with_key(fingerprint: Arc<str>, address: IpAddr, surface: &'static str) -> Self {
        Self { principal: fingerprint, identity: Identity::Key, address, surface, trace: None }
    }

    /// Who showed to be `member`.
    pub fn with_member(member: Arc<Member>, address: IpAddr, surface: &'static str) -> Self {
        Self { principal: member.id.as_str().into(), identity: Identity::User(member), address, surface, trace: None }
    }
}

/// Who has `address` together with those who share it: whoever has one address of IPv6 has 2⁶⁴ of them at least.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}
