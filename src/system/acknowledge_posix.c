/* Acknowledgements when the system sends them. */
#include "system/acknowledge.h"

void p3_acknowledge(int fd)
{
    (void)fd;
}
