//! Seeded random numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

/// A shared `SplitMix64` generator: numbers depend on the seed and on the draws before.
#[derive(Debug)]
pub struct Random(AtomicU64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub fn number(&self) -> u64 {
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True for this share of draws.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are precise, and enough")]
    pub fn happens(&self, share: f64) -> bool {
        share >= 1.0 || ((self.number() >> 11) as f64) < share * (1_u64 << 53) as f64
    }

    pub fn uuid(&self) -> Uuid {
        let bytes = (u128::from(self.number()) << 64) | u128::from(self.number());
        Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }
}

/// A different seed in each process.
impl Default for Random {
    fn default() -> Self {
        Self::seeded(Uuid::new_v4().as_u64_pair().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_determines_the_sequence() {
        let draw = |seed| {
            let random = Random::seeded(seed);
            (random.number(), random.uuid(), random.happens(0.5))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn draws_match_their_share() {
        let random = Random::seeded(1);
        let hits = (0..10_000).filter(|_| random.happens(0.2)).count();
        assert!((1_800..2_200).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| random.happens(1.0) && !random.happens(0.0)));
    }
}
