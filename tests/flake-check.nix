# Evaluates ../flake.nix as far as that goes without a network: with a nixpkgs that has just the functions the flake calls, each of
# which gives back what it was given. Shows that the flake parses, that its attributes are there, and which name and version it reads.
let
  flake = import ../flake.nix;

  derivation = attributes: attributes // { overrideAttrs = change: derivation (attributes // change attributes); };

  nixpkgs = {
    lib.genAttrs = names: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
    legacyPackages = builtins.listToAttrs (
      map (name: { inherit name; value = packages; }) [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ]
    );
  };

  packages = {
    rustPlatform.buildRustPackage = derivation;
    mkShell = derivation;
    python3.withPackages = choose: choose { pyyaml = "pyyaml"; };
    lib.licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
    cargo = "cargo";
    cargo-deny = "cargo-deny";
    clippy = "clippy";
    go = "go";
    nixfmt = "nixfmt";
    rust-analyzer = "rust-analyzer";
    rustc = "rustc";
    rustfmt = "rustfmt";
  };

  outputs = flake.outputs { self = "the sources"; inherit nixpkgs; };

  # Everything but functions, so that all of it is evaluated.
  plain = value:
    if builtins.isAttrs value then builtins.mapAttrs (_: plain) (removeAttrs value [ "overrideAttrs" ])
    else if builtins.isList value then map plain value
    else value;
in
assert builtins.isString flake.description && flake.inputs ? nixpkgs;
plain outputs
