/* Which of several files a frame goes to. See form.h. */
#include "form.h"

uint32_t part_by_time(const struct wrap_frames *frames, size_t index, uint32_t parts)
{
    return (uint32_t)(index * parts / frames->count);
}

uint32_t part_by_turns(const struct wrap_frames *frames, size_t index, uint32_t parts)
{
    (void)frames;
    return (uint32_t)(index % parts);
}

uint32_t part_by_turns_of_ten(const struct wrap_frames *frames, size_t index, uint32_t parts)
{
    (void)frames;
    return (uint32_t)(index / 10 % parts);
}
