#include "labour.h"

#include <string.h>

#define LETTER_DIGITS 10
#define LETTER_END    "號"
#define FIRST_YEAR    75 /* of the Republic: no letter about foreign workers is older */

static bool are_digits(const char *p, size_t n)
{
    return strspn(p, "0123456789") >= n;
}

static bool ends_as_letter(const char *p)
{
    int year;

    if (!are_digits(p, LETTER_DIGITS) || strcmp(p + LETTER_DIGITS, LETTER_END) != 0)
        return false;
    year = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
    return year >= FIRST_YEAR;
}

bool labour_is_letter_no(const char *prefixes, const char *number)
{
    for (const char *p = prefixes; *p;) {
        size_t n = strcspn(p, ",");
        if (n > 0 && strncmp(number, p, n) == 0 && ends_as_letter(number + n))
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

/* Two digits of the first letter: its region's value. */
static int letter_value(char c)
{
    static const char order[] = "ABCDEFGHJKLMNPQRSTUVXYWZIO"; /* from 10 on */
    const char *at = c ? strchr(order, c) : NULL;

    return at ? (int)(at - order) + 10 : 0;
}

bool labour_is_person_no(const char *number)
{
    int value = letter_value(number[0]);
    int sum = value / 10 + value % 10 * 9;

    if (value == 0 || strlen(number) != 10 || !are_digits(number + 2, 8))
        return false;
    for (int i = 1; i < 10; i++) {
        int digit = number[i] >= 'A' ? letter_value(number[i]) % 10 : number[i] - '0';
        sum += digit * (i < 9 ? 9 - i : 1);
    }
    return sum % 10 == 0;
}

bool labour_is_business_no(const char *number)
{
    static const int weights[] = {1, 2, 1, 2, 1, 2, 4, 1};
    int sum = 0;

    if (strlen(number) != 8 || !are_digits(number, 8))
        return false;
    for (int i = 0; i < 8; i++) {
        int product = (number[i] - '0') * weights[i];
        sum += product / 10 + product % 10;
    }
    /* 4 times 7 is 28, whose sum 10 may be counted as 1 or 0 */
    return sum % 5 == 0 || (number[6] == '7' && (sum + 1) % 5 == 0);
}
