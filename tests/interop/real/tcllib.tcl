# The POP3 server of tcllib, on a free port of 127.0.0.1, which is printed. tcllib.tcl DIRECTORY USER PASSWORD
package require pop3d
package require pop3d::dbox
package require pop3d::udb
lassign $argv directory user password

# tcllib listens on all addresses: tests keep to loopback.
rename socket plain_socket
proc socket {option command args} {
    if {$option eq "-server"} { return [plain_socket -server $command -myaddr 127.0.0.1 {*}$args] }
    return [plain_socket $option $command {*}$args]
}

set users [::pop3d::udb::new]
$users add $user $password $user
set box [::pop3d::dbox::new]
$box base $directory
set server [::pop3d::new]
$server configure -port 0 -auth $users -storage $box
$server up
puts [$server cget -port]
flush stdout
vwait forever
