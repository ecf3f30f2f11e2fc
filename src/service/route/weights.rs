//! The order in which a route's targets are tried.

use crate::service::chance::Chance;

/// The places of targets with these weights: those that have one first, drawn one after another, each as probable as its share
/// of those that are left; then the others, as they stand.
pub(super) fn order(weights: &[Option<f64>], chance: &Chance) -> Vec<usize> {
    let mut drawn: Vec<(f64, usize)> = Vec::new();
    let mut rest = Vec::new();
    for (place, weight) in weights.iter().enumerate() {
        match weight {
            // Who comes first is who waits least, where each waits as long as chance says, the shorter the heavier.
            Some(weight) => drawn.push((-(1.0 - chance.draw()).ln() / weight, place)),
            None => rest.push(place),
        }
    }
    drawn.sort_by(|one, other| one.0.total_cmp(&other.0));
    drawn.into_iter().map(|(_, place)| place).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    fn seeded(seed: u64) -> Chance {
        let rng = Mutex::new(fastrand::Rng::with_seed(seed));
        Chance::from_fn(move || rng.lock().unwrap().f64())
    }

    #[test]
    fn each_comes_first_as_often_as_its_share() {
        let chance = seeded(1);
        let weights = [Some(3.0), None, Some(1.0), Some(4.0)];
        let mut first = [0i32; 4];
        let mut second_after_the_heaviest = [0; 4];
        for _ in 0..8000 {
            let order = order(&weights, &chance);
            first[order[0]] += 1;
            if order[0] == 3 {
                second_after_the_heaviest[order[1]] += 1;
            }
        }
        // 3/8, 1/8 and 4/8 of 8000, give or take five standard deviations.
        for (place, expected) in [(0, 3000), (2, 1000), (3, 4000)] {
            assert!((first[place] - expected).abs() < 230, "{first:?}");
        }
        // Of what is left then, three quarters and one.
        let [one, none, other, _] = second_after_the_heaviest;
        assert_eq!((first[1], none), (0, 0));
        assert!((f64::from(one) / f64::from(one + other) - 0.75).abs() < 0.04, "{second_after_the_heaviest:?}");
    }

    proptest! {
        #[test]
        fn everybody_has_a_place_and_the_unweighted_stay_behind(
            weights in prop::collection::vec(prop::option::of(1e-300f64..1e300), 0..12), seed: u64,
        ) {
            let order = order(&weights, &seeded(seed));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..weights.len()).collect::<Vec<_>>());
            let drawn = weights.iter().flatten().count();
            prop_assert!(order[..drawn].iter().all(|place| weights[*place].is_some()));
            prop_assert!(order[drawn..].is_sorted(), "{:?}", order);
        }
    }
}
