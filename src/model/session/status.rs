//! How far a session has come, and what may become of it.

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was asked yet.
    Created,
    /// Whoever answers is being found.
    Connecting,
    /// It can be asked.
    Active,
    /// Somebody else has to say something first.
    Waiting,
    /// It is being asked.
    Processing,
    /// It can't be asked until it is resumed.
    Paused,
    /// It came to its end.
    Completed,
    /// It can't go on.
    Failed,
    /// It was ended.
    Terminated,
    /// It was ended, and is kept in an archive.
    Archived,
}

// === impl Status ===

impl Status {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Connecting,
        Self::Active,
        Self::Waiting,
        Self::Processing,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Terminated,
        Self::Archived,
    ];

    /// What may come next.
    pub fn next(self) -> &'static [Self] {
        use Status::{
            Active, Archived, Completed, Connecting, Created, Failed, Paused, Processing, Terminated, Waiting,
        };
        match self {
            Created => &[Connecting, Terminated],
            Connecting => &[Active, Failed],
            Active => &[Waiting, Processing, Paused, Completed, Failed, Terminated],
            Waiting => &[Active, Processing, Terminated],
            Processing => &[Active, Completed, Failed],
            Paused => &[Active, Terminated],
            Completed | Failed | Terminated => &[Archived],
            Archived => &[],
        }
    }

    /// Whether `to` may come next.
    pub fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// Whether `to` may come in the end, with others in between that nobody stays in.
    pub fn leads_to(self, to: Self) -> bool {
        match self {
            // Who answers is found in no time.
            Self::Created => self.may_become(to) || Self::Connecting.leads_to(to),
            Self::Connecting => self.may_become(to) || Self::Active.may_become(to),
            _ => self.may_become(to),
        }
    }

    /// Whether something may be asked: what is being asked already has to end first, which is not this one's business.
    pub fn takes_queries(self) -> bool {
        self == Self::Processing || self.leads_to(Self::Processing)
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Terminated | Self::Archived)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Connecting => "connecting",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Processing => "processing",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Terminated => "terminated",
            Self::Archived => "archived",
        }
    }

    /// What is written so; `error` is another word for failed.
    pub fn read(text: &str) -> Option<Self> {
        if text == "error" {
            return Some(Self::Failed);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_the_documented_one() {
        let told: Vec<String> = Status::ALL
            .into_iter()
            .map(|from| {
                let next: Vec<_> = from.next().iter().map(|to| to.as_str()).collect();
                format!("{} → {}", from.as_str(), next.join(" "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "created → connecting terminated",
                "connecting → active failed",
                "active → waiting processing paused completed failed terminated",
                "waiting → active processing terminated",
                "processing → active completed failed",
                "paused → active terminated",
                "completed → archived",
                "failed → archived",
                "terminated → archived",
                "archived → ",
            ]
        );
    }

    #[test]
    fn what_is_over_takes_no_queries_and_never_comes_back() {
        for status in Status::ALL {
            if status.is_over() {
                assert!(!status.takes_queries() && status.next().iter().all(|next| next.is_over()), "{status:?}");
            }
            assert_eq!(Status::read(status.as_str()), Some(status));
        }
        let asked: Vec<_> = Status::ALL.into_iter().filter(|status| status.takes_queries()).collect();
        assert_eq!(asked, [Status::Created, Status::Connecting, Status::Active, Status::Waiting, Status::Processing]);
    }
}
