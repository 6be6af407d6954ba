/* Prints the time of day as the command sees it. Where times of 64 bits came later than the
 * processor, Python's are others: its clock is not put ahead with the command's. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    printf("%lld\n", (long long)time(NULL));
    return 0;
}
