//! Every target on its seeds and on damaged copies of them, on the stable compiler.

use fuzz_targets::{TARGETS, Target};
use std::{fs, path::Path};

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_target_accepts_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        for (number, seed) in seeds.iter().enumerate() {
            assert!(target(seed), "{name}: seed {number} is invalid");
        }
    }
}

#[test]
fn no_target_panics_on_damaged_seeds() {
    for (name, target) in TARGETS {
        for seed in seeds(name) {
            damage(&seed, *target);
        }
    }
}

/// Cuts, flips, repeats and replaces bytes at every position, or at a few hundred of a long seed.
fn damage(seed: &[u8], target: Target) {
    let step = seed.len() / 200 + 1;
    for at in (0..seed.len()).step_by(step) {
        target(&seed[..at]);
        for byte in [0, b'"', b'9', b'{', 0x80, 0xff, seed[at] ^ 1] {
            let mut damaged = seed.to_vec();
            damaged[at] = byte;
            target(&damaged);
        }
        let mut repeated = seed[..at].to_vec();
        repeated.extend(&seed[at / 2..]);
        target(&repeated);
    }
}
