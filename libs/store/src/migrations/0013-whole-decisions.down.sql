drop function flowforge_same_epoch(int), flowforge_written_whole(text, bigint, bigint);
