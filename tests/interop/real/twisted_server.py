"""The POP3 server of Twisted, on a free port of 127.0.0.1, which is printed: twisted_server.py DIRECTORY USER PASSWORD."""

import os
import sys

from twisted.cred import checkers, credentials, portal
from twisted.internet import protocol, reactor
from twisted.mail import maildir, pop3
from zope.interface import implementer

directory, user, password = sys.argv[1:]


class Mailbox(maildir.MaildirMailbox):
    """Hands out octets: Twisted's own opens messages as text, and hashes text for their unique-ids."""

    def getMessage(self, i):
        return open(self.list[i], "rb")

    def getUidl(self, i):
        return os.path.basename(self.list[i]).encode()


@implementer(portal.IRealm)
class Realm:
    def requestAvatar(self, avatar, mind, *interfaces):
        box = Mailbox(f"{directory}/{user}")
        return pop3.IMailbox, box, lambda: None


class Factory(protocol.ServerFactory):
    protocol = pop3.POP3

    def buildProtocol(self, address):
        p = super().buildProtocol(address)
        p.portal = self.portal
        return p


checker = checkers.InMemoryUsernamePasswordDatabaseDontUse()
checker.credentialInterfaces = (credentials.IUsernamePassword, credentials.IUsernameHashedPassword)
checker.addUser(user.encode(), password.encode())
factory = Factory()
factory.portal = portal.Portal(Realm(), [checker])
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
