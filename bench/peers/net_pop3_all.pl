# A peer: Perl's Net::POP3 retrieves every message, or lists them.
#     net_pop3_all.pl [--listing] PORT
use strict;
use warnings;
use List::Util qw(sum0);
use Net::POP3;

my $listing = @ARGV == 2 && shift @ARGV eq '--listing';
my $pop = Net::POP3->new('127.0.0.1', Port => $ARGV[0], Timeout => 120) or die 'no connection';
my $count = $pop->login('user', 'pass') or die 'no login';
my $octets = 0;
if ($listing) {
    my $uids = $pop->uidl or die 'UIDL';
    my $sizes = $pop->list or die 'LIST';
    $count = keys %$uids;
    $octets = sum0(values %$sizes);
} else {
    for my $number (1 .. $count) {
        my $lines = $pop->get($number) or die "RETR $number";
        $octets += sum0(map { length } @$lines);
    }
}
$pop->quit;
print "$count messages, $octets octets\n";
