# Every package manager once; one that fails says so and does not keep the others from running.
python3 -m pip install --quiet --retries 0 --target "$HOME/python" --index-url "https://reader:$PYTHON_TOKEN@python.example.test/simple" greeting
PYTHONPATH=$HOME/python python3 -c 'import greeting; print("pip:", greeting.words)'

CARGO_REGISTRIES_MINE_INDEX=sparse+https://crates.example.test/
CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS=cargo:token
CARGO_NET_RETRY=0
export CARGO_REGISTRIES_MINE_INDEX CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS CARGO_NET_RETRY
mkdir -p project/src && touch project/src/lib.rs
printf '[package]\nname = "project"\nversion = "0.0.1"\n[dependencies]\ngreeting = { version = "1", registry = "mine" }\n' >project/Cargo.toml
# Unlike its other verbs this one downloads without asking a compiler.
./cargo vendor --quiet --manifest-path project/Cargo.toml crates >/dev/null
sed 's/.*"\(.*\)".*/cargo: \1/' crates/greeting/src/lib.rs

printf 'source "https://gems.example.test"\ngem "greeting"\n' >Gemfile
BUNDLE_PATH=$HOME/bundle BUNDLE_RETRY=0 bundle install --quiet
BUNDLE_PATH=$HOME/bundle bundle exec ruby -e 'require "greeting"; puts "bundler: " + Greeting.words'

# The same credentials, where gem takes them: in the address.
gem install --silent --no-document --install-dir "$HOME/gems" --clear-sources --source "https://$BUNDLE_GEMS__EXAMPLE__TEST@gems.example.test/" greeting
GEM_PATH=$HOME/gems ruby -e 'require "greeting"; puts "gem: " + Greeting.words'
