//! E-mail addresses, as far as they name accounts: nothing is ever sent to them.

use super::user::wrong;
use crate::model::Result;

/// The longest that can be written to.
const LONGEST: usize = 254;

/// `text` in the one form in which addresses are kept: without blanks around it, and in small letters.
pub(super) fn check(text: &str) -> Result<String> {
    let text = text.trim();
    let good = text.len() <= LONGEST
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && text.split_once('@').is_some_and(|(local, domain)| {
            let labels = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
            !local.is_empty() && !domain.contains('@') && domain.split('.').all(labels)
        });
    if good {
        Ok(text.to_lowercase())
    } else {
        Err(wrong("email", "write an e-mail address, such as user@example.com"))
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(check(" User@Example.com ").unwrap(), "user@example.com");
        assert_eq!(check("root@localhost").unwrap(), "root@localhost");
        assert_eq!(check("jürgen+x@exämple.de").unwrap(), "jürgen+x@exämple.de");
        for bad in ["", "user", "@example.com", "user@", "a@b@c", "a b@c.de", "a@b..c", "a@-b.c", "a@b\n.c"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&format!("{}@example.com", "x".repeat(250))).is_err());
    }
}
