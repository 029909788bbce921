"""The programs that do the work, behind one contract: started, watched, stopped, never trusted."""
