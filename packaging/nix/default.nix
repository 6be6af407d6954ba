# A package for Nix: `nix-build packaging/nix`. NOT TRIED.
{ pkgs ? import <nixpkgs> { } }:

pkgs.stdenv.mkDerivation {
  pname = "libpop3";
  version = "0.1.0";
  src = pkgs.lib.cleanSource ../..;

  nativeBuildInputs = with pkgs; [ meson ninja pkg-config scdoc ];
  buildInputs = with pkgs; [ curl gsasl inih jansson libedit libidn2 libseccomp openssl sqlite ];

  postPatch = "patchShebangs tools";
  mesonFlags = [ "-Dwerror=false" "-Dtests=false" "-Dexamples=false" "-Dpython=disabled" ];
  # Lets the program find the libraries that are loaded when they are first needed.
  postFixup = with pkgs; ''
    for file in $out/bin/pop3 $out/lib/libpop3.so; do
      patchelf --add-rpath ${lib.makeLibraryPath [ curl gsasl libidn2 libedit ]} "$(readlink -f $file)"
    done
  '';

  meta = {
    description = "POP3 client library, the command pop3 and a scripted test server";
    license = pkgs.lib.licenses.mit;
    platforms = pkgs.lib.platforms.linux;
    mainProgram = "pop3";
  };
}
