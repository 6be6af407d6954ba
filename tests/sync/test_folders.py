"""One mailbox, many folders: a table names folders of a Maildir or of an IMAP server, and each has each of its messages once."""

import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

import imapd
from sent import refused, refused_configuration
from world import CRASH_COMMAND, DEADLINE, ROOT, World, read_mbox

sys.path.insert(0, str(ROOT / "tests/interop"))
import dovecot as interop  # noqa: E402

TABLE = "anna@example.org -> folder:Anna, bob@example.org -> folder:Old/Bob, @sales.example -> folder:Größe & Preis, x@sales.example -> folder:INBOX"
ALL = "anna@example.org, bob@example.org, nobody@example.org"


def mail(i, to):
    return f"Envelope-To: {to}\nReceived: from a; id {i}\nFrom: ann@example.org\nSubject: number {i}\nMessage-ID: <{i}@x>\n\ntext {i}\n"


def number(text):
    return int(re.search(rb"Subject: number (\d+)", text)[1])


class Account:
    """An account that shares its mail out among folders."""

    def __init__(self, world, target, table=TABLE):
        self.world = world
        self.settings = f"{target}\nrecipients-from = Envelope-To\nmap-recipients = {table}\n"

    def run(self, name, port, *options, status=0, point=None):
        config = self.world.path / "accounts"
        config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{port}\npassword-file = {self.world.password_file}\n"
                          f"allow-plaintext = yes\n{self.settings}")  # fmt: skip
        env = self.world.environment(POP3_TEST_PAUSES="skip", **({"POP3_TEST_CRASH_AT": point} if point else {}))
        done = subprocess.run([CRASH_COMMAND, name, "--config", config, "--state", self.world.state, *options],
                              env=env, capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode in (status if isinstance(status, tuple) else (status,)), (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr


class Maildir(Account):
    def __init__(self, world, table=TABLE):
        self.path = world.path / "Mail"
        super().__init__(world, f"maildir = {self.path}", table)

    def there(self):
        """The messages of each folder."""
        return {folder.parent.name.replace("Mail", "INBOX").lstrip("."): sorted(number(m.read_bytes()) for m in folder.iterdir())
                for folder in self.path.rglob("new") if any(folder.iterdir())}  # fmt: skip


class Imap(Account):
    def __init__(self, world, certs, server, table=TABLE):
        self.server = server
        secret = world.path / "imap-password"
        secret.write_text("imap secret\n")
        secret.chmod(0o600)
        super().__init__(world, f"imap = {server.url()}\nimap-ca-file = {certs}/ca.pem\nimap-password-file = {secret}", table)

    def kill_and_go_on(self, point):
        with self.world.server("--delete") as server:
            self.run("sync", server.port, "--delete", status=-signal.SIGKILL, point=point)
            server.settle()
            self.server.finish_others()
            self.run("sync", server.port, "--delete")
            server.settle()

    def there(self):
        self.server.finish_others()
        return {folder.replace("/", "."): sorted(number(m.text) for m in mails) for folder, mails in self.server.folders.items() if mails}


@pytest.fixture(params=["maildir", "imap"])
def account(request, certs):
    """Makes an account that delivers to folders of either kind."""
    servers = []

    def make(world, table=TABLE, **options):
        if request.param == "maildir":
            return Maildir(world, table)
        servers.append(imapd.running(certs, **options))
        return Imap(world, certs, servers[-1].__enter__(), table)

    yield make
    for server in servers:
        server.__exit__(None, None, None)


def test_each_message_goes_to_the_folders_that_the_table_has_for_its_addresses(world, account):
    to = account(world)
    for i, address in enumerate(["anna@example.org", ALL, "bob@example.org", "y@sales.example", "nobody@example.org", "x@sales.example"]):
        world.put(str(i), mail(i, address))
    world.put("6", "To: anna@example.org\nSubject: number 6\n\ntext\n")
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
    assert to.there() == {"Anna": [0, 1], "Old.Bob": [1, 2], "Gr&APYA3w-e &- Preis": [3], "INBOX": [1, 4, 5, 6]}
    assert world.on_server() == []
    if isinstance(to, Imap):
        assert to.server.connections == 1 and set(to.server.subscribed) >= {"Anna", "Old/Bob"}


def test_the_most_exact_line_with_a_folder_counts_and_star_is_for_all_the_rest(world, account):
    to = account(world, table="* -> folder:Rest, @example.org -> folder:Org, Anna@Example.org -> folder:Anna")
    for i, address in enumerate(["anna@example.org", "b@example.org", "b@c", "not an address"]):
        world.put(str(i), mail(i, address))
    with world.server() as server:
        to.run("sync", server.port)
        to.run("sync", server.port)
    assert to.there() == {"Anna": [0], "Org": [1], "Rest": [2, 3]}


def test_another_table_is_no_other_target(world, account):
    to = account(world)
    world.put("1", mail(1, "anna@example.org"))
    with world.server() as server:
        to.run("sync", server.port)
        to.settings = to.settings.replace("folder:Anna", "folder:Other")
        world.put("2", mail(2, "anna@example.org"))
        to.run("sync", server.port)
    assert to.there() == {"Anna": [1], "Other": [2]}


@pytest.mark.interrupted("folders", "killed at marked points")
@pytest.mark.parametrize("points", [["folder-delivered:1"] * 3, ["folder-delivered:2", "folder-delivered:1"], ["folder-delivered:3"],
                                    ["delivered-recorded"], ["before-quit"]], ids=lambda points: "-".join(points))  # fmt: skip
def test_killed_between_folders_each_has_each_message_once(world, account, points):
    to = account(world)
    for i in range(5):
        world.put(str(i), mail(i, ALL))
    with world.server("--delete") as server:
        for point in points:
            to.run("sync", server.port, "--delete", status=-signal.SIGKILL, point=point)
            server.settle()
        to.run("sync", server.port, "--delete")
        server.settle()
    assert to.there() == {"Anna": [*range(5)], "Old.Bob": [*range(5)], "INBOX": [*range(5)]} and world.on_server() == []


@pytest.mark.interrupted("folders", "killed at marked points")
@pytest.mark.parametrize("point", ["tmp-open:4", "tmp-write:5", "tmp-written:7", "before-sync:2", "after-sync:3", "rename:3", "rename:6",
                                   "renamed:2", "folder-synced:1", "folder-synced:3"])  # fmt: skip
def test_a_maildir_that_is_killed_at_a_marked_point_has_each_message_once_in_each_folder(world, point):
    to = Maildir(world)
    for i in range(4):
        world.put(str(i), mail(i, ALL))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", status=-signal.SIGKILL, point=point)
        server.settle()
        for folder in to.path.rglob("new"):  # a reader sees them meanwhile
            for m in folder.iterdir():
                m.rename(folder.parent / "cur" / f"{m.name}:2,S")
        to.run("sync", server.port, "--delete")
        server.settle()
    for folder in to.path.rglob("cur"):
        for m in folder.iterdir():
            m.rename(folder.parent / "new" / m.name)
    assert to.there() == {"Anna": [*range(4)], "Old.Bob": [*range(4)], "INBOX": [*range(4)]} and world.on_server() == []
    assert [*to.path.rglob("tmp/*")] == []


@pytest.mark.interrupted("folders", "killed at marked points")
@pytest.mark.parametrize("point", ["imap-connected", "imap-announced:2", "imap-content:3", "imap-sent:1", "imap-sent:3", "imap-answered:1",
                                   "imap-answered:5", "imap-answered:9"])  # fmt: skip
def test_imap_that_is_killed_at_a_marked_point_has_each_message_once_in_each_folder(world, certs, point):
    with imapd.running(certs) as server_of_mail:
        to = Imap(world, certs, server_of_mail)
        for i in range(4):
            world.put(str(i), mail(i, ALL))
        to.kill_and_go_on(point)
        assert to.there() == {"Anna": [*range(4)], "Old.Bob": [*range(4)], "INBOX": [*range(4)]} and world.on_server() == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_connection_cut_at_any_octet_loses_and_repeats_nothing(tmp_path, certs, way, record_property):
    def deliver(at):
        home = tmp_path / str(at)
        home.mkdir()
        world = World(home)
        world.put("1", mail(1, "anna@example.org, nobody@example.org"))
        with world.server("--delete") as server, imapd.running(certs, **{f"octets_{way}": at}) as server_of_mail:
            to = Imap(world, certs, server_of_mail, "anna@example.org -> folder:Anna")
            to.run("sync", server.port, "--delete", "--no-sandbox", status=(0, 75))
            server_of_mail.finish_others()
            to.run("sync", server.port, "--delete", "--no-sandbox")
            server.settle()
            assert to.there() == {"INBOX": [1], "Anna": [1]} and world.on_server() == [], at
            return server_of_mail.moved[way]

    points = range(1, deliver(-1), 29)
    for at in points:
        deliver(at)
    record_property("interrupted", ("folders", "cut", len(points)))


def test_a_message_under_the_unique_id_of_another_goes_to_all_of_its_folders(world, account):
    """The run is killed when one folder has the first message; then another is there under its unique-id."""
    to = account(world)
    world.put("1", mail(1, ALL))
    with world.server() as server:
        to.run("sync", server.port, status=-signal.SIGKILL, point="folder-delivered:1")
        server.settle()
        world.put("1", mail(2, ALL))
        to.run("sync", server.port)
    assert Counter({f: m.count(2) for f, m in to.there().items()}) == Counter({"INBOX": 1, "Anna": 1, "Old.Bob": 1})


@pytest.mark.parametrize("now", ["a table of folders", "a list of targets"])
@pytest.mark.parametrize("mails", [[1], [2], [1, 1], [2, 2]])
def test_a_maildir_that_was_killed_and_gets_another_form_loses_nothing(world, now, mails):
    """The run is killed when the Maildir has the messages, and before that is recorded; then the account is changed, and the
    server may have others under their unique-ids."""
    to = Maildir(world)
    shared = to.settings
    to.settings = f"maildir = {to.path}\n"
    for i in range(len(mails)):
        world.put(str(i), mail(1, ALL))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", status=-signal.SIGKILL, point="folder-synced")
        server.settle()
        for i, n in enumerate(mails):
            world.put(str(i), mail(n, ALL))
        mbox = world.path / "mbox"
        to.settings = shared if now == "a table of folders" else f"deliver = maildir, mbox\nmaildir = {to.path}\nmbox = {mbox}\n"
        to.run("sync", server.port, "--delete")
        server.settle()
    there = to.there() if now == "a table of folders" else {"INBOX": to.there()["INBOX"], "mbox": [number(m) for m in read_mbox(mbox)]}
    assert world.on_server() == []
    assert {f: set(mails) - set(there.get(f, ())) for f in there} == {f: set() for f in there}
    assert all(f in there for f in (("INBOX", "Anna", "Old.Bob") if now == "a table of folders" else ("INBOX", "mbox")))


def test_a_folder_that_cannot_be_made_keeps_its_own_messages_back_alone(world, account):
    to = account(world, folders=("INBOX", "Anna"))
    if isinstance(to, Imap):
        to.server.answer = lambda step, number, text: "NO [CANNOT] no such name" if step == "create" else None
    else:
        to.path.mkdir()
        (to.path / ".Old.Bob").write_text("a file is in its place")
    for i, address in enumerate(["bob@example.org", "anna@example.org", ALL, "nobody@example.org"]):
        world.put(str(i), mail(i, address))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete", status=75)
        server.settle()
        assert "Bob" in told and len(world.on_server()) == 2
        assert to.there() == {"Anna": [1, 2], "INBOX": [2, 3]}
        if isinstance(to, Imap):
            to.server.answer = lambda step, number, text: None
        else:
            (to.path / ".Old.Bob").unlink()
        to.run("sync", server.port, "--delete")
        server.settle()
    assert to.there() == {"Anna": [1, 2], "INBOX": [2, 3], "Old.Bob": [0, 2]} and world.on_server() == []


def test_a_folder_with_two_names_has_each_message_once(world):
    to = Maildir(world, "anna@example.org -> folder:Anna, bob@example.org -> folder:Bob")
    (to.path / ".Anna").mkdir(parents=True)
    (to.path / ".Bob").symlink_to(".Anna")
    for i, address in enumerate([ALL, "bob@example.org", "bob@example.org, anna@example.org"]):
        world.put(str(i), mail(i, address))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", status=-signal.SIGKILL, point="folder-delivered:2")
        server.settle()
        to.run("sync", server.port, "--delete")
        server.settle()
    there = sorted(number(m.read_bytes()) for m in (to.path / ".Anna/new").iterdir())
    assert there == [0, 1, 2] and to.there()["INBOX"] == [0] and world.on_server() == []


def test_a_folder_that_takes_and_shows_nothing_keeps_its_own_messages_back_alone(world, certs):
    """More messages than the server is offered in vain; the next run cannot ask what of them is there."""
    with imapd.running(certs, folders=("INBOX", "Anna")) as server_of_mail:
        to = Imap(world, certs, server_of_mail)

        def answer(step, number, text):
            is_annas = b"anna@" in text if step == "message" else step == "examine" and "Anna" in server_of_mail.lines[-1]
            return "NO [NOPERM] not for you" if is_annas else None

        server_of_mail.answer = answer
        for i in range(12):
            world.put(f"{i:02}", mail(i, "anna@example.org"))
        with world.server("--delete") as server:
            for there in ({"Old.Bob": [20], "INBOX": [30]}, {"Old.Bob": [20, 21], "INBOX": [30, 31]}):
                k = len(there["INBOX"]) - 1
                world.put(f"{20 + k}", mail(20 + k, "bob@example.org"))
                world.put(f"{30 + k}", mail(30 + k, "nobody@example.org"))
                assert "NOPERM" in to.run("sync", server.port, "--delete", status=75)
                server.settle()
                assert to.there() == there and len(world.on_server()) == 12
            server_of_mail.answer = lambda step, number, text: None
            to.run("sync", server.port, "--delete")
            server.settle()
        assert to.there() == {"Anna": [*range(12)], "Old.Bob": [20, 21], "INBOX": [30, 31]} and world.on_server() == []


def test_what_a_folder_refuses_for_good_is_kept_and_comes_to_that_folder_alone(world, certs):
    with imapd.running(certs) as server_of_mail:
        to = Imap(world, certs, server_of_mail)
        server_of_mail.answer = lambda step, n, text: "NO [CANNOT] no" if step == "message" and n == 1 else None
        for i in range(2):
            world.put(str(i), mail(i, ALL))
        with world.server("--delete") as server:
            to.run("sync", server.port, "--delete")
            server.settle()
            assert sum(len(there) for there in to.there().values()) == 5 and len(refused(world)) == 1 and world.on_server() == []
            server_of_mail.answer = lambda step, n, text: None
            to.run("retry", server.port, status=-signal.SIGKILL, point="folder-delivered")
            to.run("retry", server.port)
        assert to.there() == {"Anna": [0, 1], "Old.Bob": [0, 1], "INBOX": [0, 1]} and refused(world) == []


def test_what_one_folder_refuses_for_good_comes_to_another_that_refused_it_for_now(world, certs):
    with imapd.running(certs, folders=("INBOX", "Anna", "Old/Bob")) as server_of_mail:
        to = Imap(world, certs, server_of_mail)
        says = {1: "NO [CANNOT] no", 2: "NO [OVERQUOTA] full", 3: "NO [CANNOT] no"}
        server_of_mail.answer = lambda step, number, text: says.get(number) if step == "message" else None
        world.put("1", mail(1, ALL))
        with world.server("--delete") as server:
            assert "[OVERQUOTA] full" in to.run("sync", server.port, "--delete", status=75)
            server.settle()
            assert to.there() == {"INBOX": [1]} and len(refused(world)) == len(world.on_server()) == 1
            assert "it is kept in" in to.run("sync", server.port, "--delete")
            server.settle()
            assert to.there() == {"INBOX": [1], "Old.Bob": [1]} and len(refused(world)) == 1 and world.on_server() == []
            to.run("retry", server.port)
        assert to.there() == {"INBOX": [1], "Anna": [1], "Old.Bob": [1]} and refused(world) == []


def test_what_several_folders_refuse_for_good_is_kept_once_and_comes_to_all_of_them(world, certs):
    with imapd.running(certs) as server_of_mail:
        to = Imap(world, certs, server_of_mail)
        server_of_mail.answer = lambda step, n, text: "NO [CANNOT] no" if step == "message" else None
        world.put("1", mail(1, ALL))
        with world.server("--delete") as server:
            told = to.run("sync", server.port, "--delete")
            server.settle()
            assert "it is kept in" in told and len(refused(world)) == 1 and world.on_server() == [], told
            server_of_mail.answer = lambda step, n, text: None
            to.run("retry", server.port)
        assert to.there() == {"Anna": [1], "Old.Bob": [1], "INBOX": [1]} and refused(world) == []


@pytest.mark.interrupted("folders", "killed at marked points")
@pytest.mark.parametrize("point", ["folder-delivered:2", "folder-delivered:5", "share-delivered", "imap-answered:4"])
def test_a_list_of_targets_with_folders_has_each_message_once_in_each_of_all(world, certs, point):
    with imapd.running(certs) as server_of_mail:
        over = Imap(world, certs, server_of_mail)
        copy = Maildir(world)
        over.settings = f"deliver = imap, maildir\nmaildir = {copy.path}\n{over.settings}"
        for i in range(3):
            world.put(str(i), mail(i, ALL))
        over.kill_and_go_on(point)
        assert over.there() == copy.there() == {"Anna": [0, 1, 2], "Old.Bob": [0, 1, 2], "INBOX": [0, 1, 2]} and world.on_server() == []


HOSTILE = ["../x", "..", ".", "/etc", "a//b", "a/", "a/../b", "a/./b", "a\x01b", "a\x7fb", "\xff", "", "x" * 201, "é" * 120]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("target", ["maildir = M", "imap = imaps://me@127.0.0.1:1/"])
def test_a_name_that_leads_elsewhere_is_refused_with_file_and_line(world, target, name):
    table = world.path / "table"
    table.write_bytes(b"# who is who\nanna@example.org -> folder:Anna\nbob@example.org -> folder:" + name.encode("latin-1") + b"\n")
    to = Account(world, f"{target}\nimap-password-command = echo x", str(table))
    assert f"{table}, line 3: " in to.run("sync", 1, status=78)
    assert not (world.path / "M").exists()


def test_dots_of_a_maildir_lead_nowhere(world):
    for name in ("a..b", "a.", "a./b"):
        to = Maildir(world, f"a@b -> folder:{name}")
        assert "map-recipients, line 1: there can be no folder of that name" in to.run("sync", 1, status=78)
    assert not to.path.exists()


@pytest.mark.parametrize("options, said", [
    (["--maildir", "M", "--map-recipients", "* -> a@b"], "map-recipients, line 1: recipients are for lmtp and smtp"),
    (["--mbox", "M", "--map-recipients", "* -> folder:x"], "or with folders or labels, maildir, imap or gmail"),
    (["--lmtp", "h:24", "--recipient", "a@b", "--map-recipients", "* -> folder:x"], "map-recipients, line 1: folders are for maildir, imap and gmail"),
    (["--maildir", "M", "--postmaster", "a@b", "--map-recipients", "* -> folder:x"], "postmaster needs a target with recipients"),
    (["--maildir", "M", "--map-recipients", "a@b -> folder:x, A@B -> folder:y"], "is there twice, in lines 1 and 1"),
    (["--maildir", "M", "--map-recipients", ", ".join(f"a{i}@b -> folder:f{i}" for i in range(101))], "(at most 100 folders)")])  # fmt: skip
def test_mistakes_are_told(world, options, said):
    errors = refused_configuration(world, "--recipients-from", "Delivered-To", *options)
    assert said in errors, errors


def test_doctor_looks_at_each_folder(world, account):
    to = account(world, folders=("INBOX", "Anna"))
    if isinstance(to, Maildir):
        (to.path / ".Anna").mkdir(parents=True)
    with world.server() as server:
        told = to.run("doctor", server.port, "a")
    assert re.search(r"ok .*Anna", told) and re.search(r"note .*Old.Bob.* does not exist.* create", told), told


def test_dovecot_shows_the_folders_of_a_maildir_and_takes_those_of_imap(world):
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    table = "anna@example.org -> folder:Anna, bob@example.org -> folder:Größe"
    with interop.Dovecot(maildirs={"user": None, "copy": None}, protocols=["imap"]) as dovecot:
        direct = Maildir(world, table)
        direct.settings = direct.settings.replace(str(direct.path), str(dovecot.maildir("user")))
        secret = world.path / "imap-password"
        secret.write_text(f"{dovecot.password}\n")
        secret.chmod(0o600)
        over = Account(world, f"imap = imaps://copy@localhost:{dovecot.imaps_port}/\nimap-ca-file = {dovecot.ca_file}\n"
                       f"imap-password-file = {secret}", table)  # fmt: skip
        for i in range(3):
            world.put(str(i), mail(i, ALL))
        with world.server() as server:
            direct.run("sync", server.port)
            world.state.unlink()
            over.run("sync", server.port)
        for user in ("user", "copy"):
            assert sorted(d.name for d in dovecot.maildir(user).glob(".[A-Z]*")) == [".Anna", ".Gr&APYA3w-e"]
            assert sorted(number(m.read_bytes()) for m in dovecot.maildir(user).glob(".Anna/[cn]*/*")) == [0, 1, 2]


def test_the_example_of_the_guide_works_as_it_is_written(world, account):
    text = (ROOT / "docs/guide/imap.md").read_text().split("## One mailbox, many folders")[1].split("\n## ")[0]
    table, fields = (re.search(rf"(?:^    .*\n)*^    {begin}.*\n(?:^    .*\n)*", text, re.MULTILINE)[0].replace("    ", "")
                     for begin in ("# address", r"\[catch-all\]"))  # fmt: skip
    file = world.path / ".config/pop3/folders"
    file.parent.mkdir(parents=True)
    file.write_text(table)
    to = account(world)
    to.settings = to.settings.split("recipients-from")[0] + "".join(re.findall(r"(?:recipients-from|map-recipients) .*\n", fields))
    for i, address in enumerate(["sales@example.org", "x@old.example.org", "bob@example.org", "y@z", "bob@example.org, sales@example.org"]):
        world.put(str(i), mail(i, address))
    with world.server() as server:
        to.run("sync", server.port)
    assert to.there() == {"Sales": [0, 4], "Old.Shop": [1], "INBOX": [2, 3, 4]}
