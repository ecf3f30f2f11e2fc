//! Vectors out of words, as the crate's page tells.

use mortise_sdk::provider::Error;

const USUAL: u32 = 16;
const MOST: u32 = 4096;

/// How many numbers a vector shall have.
pub(crate) fn dimensions(wanted: Option<u32>) -> Result<usize, Error> {
    match wanted.unwrap_or(USUAL) {
        0 => Err(Error::invalid("`dimensions` must be at least 1")),
        count if count > MOST => Err(Error::invalid(format!("`dimensions` must be at most {MOST}"))),
        count => Ok(count as usize),
    }
}

/// The vector of a text.
pub(crate) fn of(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f64; dimensions];
    for word in text.split_whitespace() {
        let mut seed = fnv1a(&word.to_lowercase());
        for number in &mut sum {
            *number += draw(&mut seed);
        }
    }
    let length = sum.iter().map(|number| number * number).sum::<f64>().sqrt();
    if length == 0.0 {
        sum.iter_mut().take(1).for_each(|number| *number = 1.0);
        return sum.into_iter().map(|number| number as f32).collect();
    }
    sum.into_iter().map(|number| (number / length) as f32).collect()
}

/// FNV-1a with 64 bits.
pub(crate) fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The next number of SplitMix64, between -1 and 1.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // 53 bits are what a float of this size holds.
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
