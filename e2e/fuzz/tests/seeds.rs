//! Every target on its seeds and on damaged copies of them, on the stable compiler.

use fuzz_targets::{TARGETS, Target};
use std::{fs, io, path::Path};

fn seeds(name: &str) -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<io::Result<Vec<_>>>()?;
    files.sort();
    files.into_iter().map(fs::read).collect()
}

#[test]
fn every_target_accepts_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = seeds(name).unwrap();
        assert!(!seeds.is_empty(), "{name} has no seed");
        for (number, seed) in seeds.iter().enumerate() {
            assert!(target(seed), "{name}: seed {number} is invalid");
        }
    }
}

#[test]
fn no_target_panics_on_damaged_seeds() {
    for (name, target) in TARGETS {
        for seed in seeds(name).unwrap() {
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
