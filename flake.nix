{
  description = "Ringfence: from an inventory of workloads and their sensitivity, the Kustomize trees that keep the levels apart";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # Name and version are stated once, where cargo reads them.
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;

      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      eachSystem = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      python = pkgs: pkgs.python3.withPackages (packages: [ packages.pyyaml ]);

      package =
        pkgs:
        pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          inherit (manifest) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          # `nix build` makes the program; `nix flake check` runs the tests.
          doCheck = false;
          meta = {
            inherit (manifest) description;
            license = [
              pkgs.lib.licenses.mit
              pkgs.lib.licenses.asl20
            ];
            mainProgram = manifest.name;
          };
        };
    in
    {
      packages = eachSystem (pkgs: {
        default = package pkgs;
      });

      # The hermetic tests, formatting and clippy. `tests/run` looks at more: links, documentation, licences, and with the judges, which are Go
      # modules from the network.
      checks = eachSystem (pkgs: {
        fmt = (package pkgs).overrideAttrs (old: {
          pname = "${manifest.name}-fmt";
          nativeBuildInputs = old.nativeBuildInputs or [ ] ++ [ pkgs.rustfmt ];
          buildPhase = "cargo fmt --check";
          installPhase = "touch $out";
        });
        clippy = (package pkgs).overrideAttrs (old: {
          pname = "${manifest.name}-clippy";
          nativeBuildInputs = old.nativeBuildInputs or [ ] ++ [ pkgs.clippy ];
          buildPhase = "cargo clippy --offline --all-targets -- --deny warnings";
          installPhase = "touch $out";
        });
        tests = (package pkgs).overrideAttrs (old: {
          pname = "${manifest.name}-tests";
          nativeCheckInputs = old.nativeCheckInputs or [ ] ++ [ (python pkgs) ];
          doCheck = true;
        });
      });

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.cargo-deny
            pkgs.clippy
            pkgs.go
            pkgs.rust-analyzer
            pkgs.rustc
            pkgs.rustfmt
            (python pkgs)
          ];
        };
      });

      formatter = eachSystem (pkgs: pkgs.nixfmt);
    };
}
