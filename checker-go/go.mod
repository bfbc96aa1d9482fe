module zerogap/checker-go

go 1.19
