# A formula for Homebrew. NOT TRIED; the command has only been built and tested on Linux. Fill in the url and sha256
# of a release's tarball (`make dist`).
class Libpop3 < Formula
  desc "POP3 client library, the command pop3 and a scripted test server"
  homepage "https://example.org/libpop3"
  url "https://example.org/libpop3-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "scdoc" => :build
  depends_on "curl"
  depends_on "gsasl"
  depends_on "inih"
  depends_on "jansson"
  depends_on "libidn2"
  depends_on :linux
  depends_on "libedit"
  depends_on "libseccomp"
  depends_on "openssl@3"
  depends_on "sqlite"

  def install
    system "meson", "setup", "build", *std_meson_args, "-Dwerror=false", "-Dtests=false", "-Dexamples=false",
           "-Dpython=disabled"
    system "meson", "compile", "-C", "build"
    system "meson", "install", "-C", "build"
  end

  test do
    (testpath/"mail").mkpath
    (testpath/"mail/1.eml").write "Subject: hello\n\nworld\n"
    read, write = IO.pipe
    server = spawn bin/"pop3-testserver", "--mail", testpath/"mail", out: write
    port = read.gets[/ port=(\d+)/, 1]
    url = "pop3://user@127.0.0.1:#{port}"
    assert_match "1 message", shell_output("#{bin}/pop3 stat #{url} --allow-plaintext --password-command 'echo x'")
  ensure
    Process.kill("TERM", server) if server
  end
end
