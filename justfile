# The recipes; CI runs the same ones. `just` alone lists them.

[private]
default:
    @just --list --unsorted

# Start the whole system on this machine; `just up --help` shows the options
up *options:
    cargo run --release -p e2e -- up {{ options }}

# Show what the whole system promises, with real processes; options: --only TEXT, --repeat TIMES
e2e *options:
    cargo run -p e2e -- scenarios {{ options }}

# Run the tests of all crates
test:
    cargo test --workspace

# Everything a change must pass: format, lints, docs, tests, scenarios
check: format lint doc test e2e

# Is the code formatted?
format:
    cargo fmt --all --check

# Clippy, warnings are errors
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Do the docs build, with all their links?
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet

# Licences, duplicates and sources of all dependencies (needs cargo-deny)
deny:
    cargo deny check bans licenses sources

# Write the two Lambda zips into dist/, built small; options such as --set wlrm_node_addr=https://node.example.com
bundle *options:
    cargo build --profile bundle -p connector --bin bootstrap --no-default-features
    cargo run -q -p connector --bin wallarm-connector -- bundle --bootstrap target/bundle/bootstrap --out dist {{ options }}

# Install AWS's Python runtime client, under which the scenarios run the functions
awslambdaric:
    python3 -m pip install --quiet --upgrade --target target/awslambdaric awslambdaric
